import { describe, expect, it, vi } from 'vitest';
import { account, Bench, TOKEN } from '../testing/bench.ts';

const TOPIC = `${TOKEN}/json/dev01`;
const LARGE = JSON.stringify({ nested: { text: 'x'.repeat(60_000) } });
const MESSAGES = 300;
const OTHER = '5a8a8d3e-0000-4000-8000-00000000000b';

describe('data that waits for the store', () => {
  it('are bounded in bytes for an account: what comes beyond is not taken and counted; others and later data are stored', async () => {
    const other = account({}, {}, { id: OTHER, username: 'U000124' });
    const bench = new Bench([account(), other]);
    const notTaken = vi.fn();
    Object.assign(bench, { notTaken });
    const connection = bench.connect();
    const gate = Promise.withResolvers<void>();
    const append = bench.telemetry.append.bind(bench.telemetry);
    vi.spyOn(bench.telemetry, 'append').mockImplementation(async (batch) => {
      await gate.promise;
      return append(batch);
    });
    const sent = Array.from({ length: MESSAGES }, () => bench.send(connection, TOPIC, LARGE));
    const refused = notTaken.mock.calls.length;
    expect(refused).toBeGreaterThan(0);
    expect((MESSAGES - refused) * LARGE.length).toBeLessThan(16 * 1024 * 1024);
    const ofOther = bench.send(bench.connect(4, 'U000124'), TOPIC, LARGE);
    expect(notTaken).toHaveBeenCalledTimes(refused);
    gate.resolve();
    expect(await ofOther).toBe('stored');
    const outcomes = await Promise.all(sent);
    expect(outcomes.filter((outcome) => outcome === 'failed')).toHaveLength(refused);
    expect(outcomes.filter((outcome) => outcome === 'stored')).toHaveLength(MESSAGES - refused);
    for (let round = 0; round < MESSAGES; round++) expect(await bench.send(connection, TOPIC, LARGE)).toBe('stored');
    expect(notTaken).toHaveBeenCalledTimes(refused);
  });
});
