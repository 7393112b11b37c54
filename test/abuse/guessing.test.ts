import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import { ADMIN_EMAIL, MoorageProcess } from '../harness/moorage-process.ts';
import { RawClient } from '../harness/raw-client.ts';
import { LONG, report } from '../harness/report.ts';

const GUESSES = LONG ? 10_000 : 300;
const PARALLEL = 50;

const server = new MoorageProcess();
const api = new ApiClient(server);

beforeAll(async () => {
  await server.start();
  await api.login();
  await api.createDevice('victim', 'VICTIMTOKEN000000001');
});
afterAll(() => server.dispose());

/** One wrong CONNECT; resolves with its CONNACK code and how long the answer took, or `slow` after a second. */
async function guess(username: string): Promise<{ readonly code: number | undefined; readonly slow: boolean }> {
  const client = await RawClient.open(server.mqttPort, 5);
  const slow = Symbol('slow');
  const code = await Promise.race([
    client.connect({ username, clientId: 'guess', password: Buffer.from('guess') }),
    new Promise<typeof slow>((resolve) => setTimeout(() => resolve(slow), 1_000)),
  ]);
  client.close();
  return code === slow ? { code: undefined, slow: true } : { code, slow: false };
}

describe('B7 guessing', () => {
  it('B7 the eleventh wrong CONNECT of one name waits; the device with the right token behind the same address does not', {
    timeout: 60_000,
  }, async () => {
    for (let attempt = 1; attempt <= 10; attempt++) expect(await guess('GUESSED')).toEqual({ code: 0x86, slow: false });
    expect((await guess('GUESSED')).slow).toBe(true);
    const device = await RawClient.open(server.mqttPort, 5);
    const begin = performance.now();
    expect(await device.connect({ username: 'VICTIMTOKEN000000001' })).toBe(0);
    expect(performance.now() - begin).toBeLessThan(1_000);
    device.close();
  });

  it(`B7 ${GUESSES} names from one address are all refused, and a device connects between them`, {
    timeout: LONG ? 600_000 : 60_000,
  }, async () => {
    let left = GUESSES;
    const codes = new Map<number | undefined, number>();
    const attacker = async (): Promise<void> => {
      while (left-- > 0) {
        const { code } = await guess(`GUESS${left}`);
        codes.set(code, (codes.get(code) ?? 0) + 1);
      }
    };
    const attack = Promise.all(Array.from({ length: PARALLEL }, attacker));
    let connects = 0;
    while (left > 0) {
      const device = await RawClient.open(server.mqttPort, 5);
      expect(await device.connect({ username: 'VICTIMTOKEN000000001' })).toBe(0);
      connects++;
      device.close();
    }
    await attack;
    report('guessing', { guesses: GUESSES, refused: codes.get(0x86), goodConnectsMeanwhile: connects });
    expect(codes.get(0)).toBeUndefined();
    expect(connects).toBeGreaterThan(0);
  });

  it('B7 wrong passwords of a user lock the guesser out with one answer for every reason', {
    timeout: 60_000,
  }, async () => {
    const attacker = new ApiClient(server);
    const answers = new Set<string>();
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 12; attempt++) {
      const answer = await attacker.login(ADMIN_EMAIL, `wrong password ${attempt}`);
      statuses.push(answer.status);
      answers.add(answer.body.message);
    }
    const unknown = await attacker.login('nobody@example.org', 'wrong password');
    expect(unknown.body.message).toBe('Invalid username or password');
    expect(statuses.slice(0, 3)).toEqual([401, 401, 401]);
    expect([...answers].some((text) => /locked|Too many/i.test(text))).toBe(true);
    // Whoever is logged in already is not disturbed.
    expect((await api.call('GET', '/api/auth/user')).status).toBe(200);
  });
});
