import { runWriterThread } from '../sqlite/writer-thread.ts';
import type { SessionReply, SessionRequest, SessionsReady, SessionWriterOptions } from './messages.ts';
import { SessionWriter } from './session-writer.ts';

runWriterThread<SessionWriterOptions, SessionWriter, SessionRequest, SessionsReady, SessionReply>({
  open: (options) => SessionWriter.open(options),
  ready: (writer) => writer.ready(),
  serve: (writer, { operations }, post) => post(writer.round(operations)),
  background(writer, post) {
    const before = writer.state;
    const reply = writer.background();
    if (reply.dropped.length > 0 || writer.state !== before) post(reply);
  },
});
