import { type Post, runWriterThread } from '../sqlite/writer-thread.ts';
import { Columns } from './columns.ts';
import type { TelemetryReady, TelemetryWriterOptions, WriterReply, WriterRequest } from './messages.ts';
import { otherOf } from './series-store.ts';
import { TelemetryWriter } from './writer.ts';

function readyOf({ tables, state, reason }: TelemetryWriter): TelemetryReady {
  const series = [...tables.series()];
  const owners: string[] = [];
  const ids = new Int32Array(series.length);
  const ownerOf = new Int32Array(series.length);
  const keys: string[] = [];
  for (const [at, { id, owner, key }] of series.entries()) {
    if (owners.at(-1) !== owner) owners.push(owner);
    ids[at] = id;
    ownerOf[at] = owners.length - 1;
    keys.push(key);
  }
  const latest = new Columns(series.length + 64);
  const latestSeries: number[] = [];
  for (const { series: id, points, at } of tables.store.allLatest()) {
    latestSeries.push(id);
    const other = otherOf(points, at);
    if (other === undefined) latest.push(points.ts[at] ?? 0, points.kind[at] ?? 0, points.num[at] ?? 0);
    else latest.pushFrom(points, at);
  }
  return {
    type: 'ready',
    state,
    reason,
    ids,
    ownerOf,
    owners,
    keys,
    nextSeries: tables.store.highestSeries + 1,
    latestSeries: Int32Array.from(latestSeries),
    latest: latest.parts().parts,
    expiring: [...tables.expiry.entries()],
  };
}

function serve(writer: TelemetryWriter, request: WriterRequest, post: Post<WriterReply>): void {
  const { store, attributes } = writer.tables;
  switch (request.type) {
    case 'round':
      post(writer.round(request));
      return;
    case 'head': {
      const { parts, transfer } = store.head(request.series, request.from, request.to).parts();
      post({ type: 'head', request: request.request, head: parts }, transfer);
      return;
    }
    case 'attributesOf':
      post({ type: 'attributesOf', request: request.request, rows: attributes.of(request.owner) });
      return;
    case 'statistics': {
      const { sizeBytes } = writer;
      const oldestInHead = store.oldestInHeads();
      post({ type: 'statistics', request: request.request, bytes: sizeBytes, points: store.points, oldestInHead });
      return;
    }
  }
}

runWriterThread<TelemetryWriterOptions, TelemetryWriter, WriterRequest, TelemetryReady, WriterReply>({
  open: (options) => TelemetryWriter.open(options),
  ready: readyOf,
  serve,
  background(writer, post) {
    const before = writer.state;
    writer.background();
    if (writer.state !== before) post({ type: 'state', state: writer.state, reason: writer.reason });
  },
});
