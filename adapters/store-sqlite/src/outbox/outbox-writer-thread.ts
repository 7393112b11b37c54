import { runWriterThread } from '../sqlite/writer-thread.ts';
import type { OutboxReady, OutboxReply, OutboxRequest, OutboxWriterOptions, RoundReply } from './messages.ts';
import { OutboxWriter } from './outbox-writer.ts';

function buffersOf({ answers }: Pick<RoundReply, 'answers'>): ArrayBuffer[] {
  return answers.flatMap(({ result }) => (result?.type === 'entries' ? [result.entries.bodies.buffer] : []));
}

runWriterThread<OutboxWriterOptions, OutboxWriter, OutboxRequest, OutboxReady, OutboxReply>({
  open: (options) => OutboxWriter.open(options),
  ready: () => ({ type: 'ready' }),
  serve(writer, { request, operations }, post) {
    const round = writer.round(operations);
    post({ type: 'round', request, ...round }, buffersOf(round));
  },
  background(writer, post) {
    writer.background();
    const { state, reason } = writer;
    if (state !== 'ok') post({ type: 'background', state, reason });
  },
});
