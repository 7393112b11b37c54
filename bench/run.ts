import { runCodecBench } from '../packages/mqtt-codec/bench/codec-bench.ts';
import { ingest } from './ingest.ts';
import { startup } from './startup.ts';
import { store } from './store.ts';

/** Every case by name; `npm run bench -- ingest codec` runs some of them. Each prints one JSON line. */
const CASES: Readonly<Record<string, () => Promise<Record<string, unknown>> | Record<string, unknown>>> = {
  codec: () => ({ case: 'codec', ...runCodecBench() }),
  store,
  ingest,
  startup,
};

const names = process.argv.slice(2);
for (const name of names.length === 0 ? Object.keys(CASES) : names) {
  const run = CASES[name];
  if (run === undefined) {
    console.error(`unknown case ${name}; there are: ${Object.keys(CASES).join(', ')}`);
    process.exit(2);
  }
  console.log(JSON.stringify({ date: new Date().toISOString(), node: process.version, ...(await run()) }));
}
