import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

let t: TestServer;

beforeAll(async () => {
  t = await openTestServer();
  await t.device('A');
});
afterAll(() => t.server.close());

const save = async (query: string, name = 'A') => (await t.call('POST', `/api/device?${query}`, { name })).json();

describe('a device name that is taken', () => {
  it('TBS-22 is refused unless another one may be made', async () => {
    for (const query of ['', 'nameConflictPolicy=FAIL']) {
      expect(await save(query)).toMatchObject({
        status: 400,
        errorCode: 31,
        message: 'Device with such name already exists!',
      });
    }
    expect(await save('nameConflictPolicy=OTHER')).toMatchObject({ status: 400, errorCode: 31 });
  });

  it('gets a random ending', async () => {
    const [first, second] = [await save('nameConflictPolicy=UNIQUIFY'), await save('nameConflictPolicy=UNIQUIFY')];
    expect(first.name).toMatch(/^A_[A-Za-z0-9]{6}$/);
    expect(second.name).toMatch(/^A_[A-Za-z0-9]{6}$/);
    expect(second.name).not.toBe(first.name);
    const dashed = await save('nameConflictPolicy=UNIQUIFY&uniquifySeparator=-&uniquifyStrategy=RANDOM');
    expect(dashed.name).toMatch(/^A-[A-Za-z0-9]{6}$/);
    expect((await save('nameConflictPolicy=UNIQUIFY', 'B')).name).toBe('B');
  });

  it('stays within the longest name', async () => {
    const name = 'x'.repeat(255);
    await save('', name);
    const { name: made } = await save('nameConflictPolicy=UNIQUIFY', name);
    expect(made).toMatch(/^x{248}_[A-Za-z0-9]{6}$/);
  });

  it('gets one for a device with credentials too, and no refusal of another kind is tried again', async () => {
    const credentials = { credentialsType: 'ACCESS_TOKEN', credentialsId: 'sameTokenForBoth0000' };
    const post = async () =>
      (
        await t.call('POST', '/api/device-with-credentials?nameConflictPolicy=UNIQUIFY', {
          device: { name: 'A' },
          credentials,
        })
      ).json();
    expect((await post()).name).toMatch(/^A_/);
    expect(await post()).toMatchObject({ status: 400, message: expect.stringContaining('already assigned') });
  });
});
