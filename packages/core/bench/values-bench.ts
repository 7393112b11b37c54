// Nanoseconds per message of ValueReader on typical payloads. Run: node packages/core/bench/values-bench.ts
import { PointList, type TextDecoding, ValueReader, type ValueReadOptions } from '@moorage/core';

const decoding: TextDecoding = {
  text: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'),
};
const options: ValueReadOptions = { castStrings: true, tolerant: true, nulls: 'skipped', maximumValues: 10_000 };
const manyMembers = JSON.stringify(Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`sensor_${i}`, i * 1.5])));
const payloads: Record<string, string> = {
  typical: '{"temperature":21.57,"humidity":40.1,"seq":123456}',
  withTime: '{"ts":1451649600512,"values":{"temperature":21.57,"humidity":40.1,"seq":123456}}',
  batchOfTen: `[${Array.from({ length: 10 }, (_, i) => `{"ts":145164960051${i},"values":{"temperature":21.57,"seq":${i}}}`).join(',')}]`,
  strings: '{"state":"running","version":"1.2.3","serial":"25"}',
  nested: '{"position":{"lat":52.52,"lon":13.405},"tags":["a","b"]}',
  fiftyKeys: manyMembers,
  lenient: '{temperature:21.57,humidity:40.1,seq:123456}',
};

const reader = new ValueReader();

function nanosecondsPerMessage(text: string, rounds: number): number {
  const payload = new TextEncoder().encode(text);
  const started = process.hrtime.bigint();
  for (let round = 0; round < rounds; round++) {
    const points = new PointList();
    const fault = reader.readSeries(payload, decoding, options, points, 1_700_000_000_000);
    if (fault !== null || points.length === 0) throw new RangeError(`${text}: ${fault}`);
  }
  return Number(process.hrtime.bigint() - started) / rounds;
}

function jsonParse(text: string, rounds: number): number {
  const payload = Buffer.from(text);
  let sum = 0;
  const started = process.hrtime.bigint();
  for (let round = 0; round < rounds; round++) {
    const message = JSON.parse(payload.toString('utf8')) as Record<string, unknown>;
    for (const key in message) sum += key.length;
  }
  return sum > 0 ? Number(process.hrtime.bigint() - started) / rounds : 0;
}

const results: Record<string, { ns: number; jsonParseNs: number | null }> = {};
for (let pass = 0; pass < 2; pass++) {
  for (const [name, text] of Object.entries(payloads)) {
    const rounds = Math.min(300_000, Math.ceil(30_000_000 / text.length));
    const strict = name !== 'lenient';
    results[name] = {
      ns: Math.round(nanosecondsPerMessage(text, rounds)),
      jsonParseNs: strict ? Math.round(jsonParse(text, rounds)) : null,
    };
  }
}
process.stdout.write(`${JSON.stringify(results)}\n`);
