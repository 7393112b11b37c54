import { describe, expect, it } from 'vitest';
import { EVERYTHING, TENANT } from './test-scene.ts';
import { endScenes, open, value } from './testing/desk-scene.ts';

endScenes();

describe('a ban', () => {
  it('closes the connection and keeps the client out until it is over', async () => {
    const { scene, time } = await open();
    const device = scene.device('d2');
    const client = scene.plain(device, 'one');
    const until = time.now() + 5_000;
    const line = {
      id: 'uuid-1',
      clientId: 'one',
      owner: { entityType: 'DEVICE', id: 'd2', name: 'name of d2' },
      dialect: 'plain',
      until,
    };
    expect(value(await scene.run(scene.desk.ban(TENANT, { clientId: 'one' }, 5_000)))).toEqual([line]);
    expect(client.stream.ended).toBe(true);
    expect(scene.plain(device, 'one').stream.ended).toBe(true);
    expect(scene.plain(device, 'two').stream.ended).toBe(false);
    expect(scene.desk.bans(TENANT, EVERYTHING)).toMatchObject({ data: [line], totalElements: 1 });
    time.advance(5_000);
    expect(scene.desk.bans(TENANT, EVERYTHING).data).toEqual([]);
    expect(scene.plain(device, 'one').stream.ended).toBe(false);
  });

  it('of a device holds for all its Sessions, and is lifted one by one by its tenant', async () => {
    const { scene } = await open();
    const device = scene.device('d2');
    scene.plain(device, 'one');
    scene.plain(device, 'two').lose();
    const bans = value(await scene.run(scene.desk.ban(TENANT, { device }, 60_000)));
    expect(bans.map(({ clientId }) => clientId)).toEqual(['one', 'two']);
    const found = (textSearch: string) => scene.desk.bans(TENANT, { ...EVERYTHING, textSearch }).data.length;
    expect([found('TWO'), found('name of d2'), found('plain'), found('x')]).toEqual([1, 2, 2, 0]);
    const [one, two] = bans.map(({ id }) => id);
    expect(scene.desk.bans('tenant2', EVERYTHING).data).toEqual([]);
    expect(scene.desk.liftBan('tenant2', one ?? '')).toMatchObject({ code: 'notFound' });
    expect(scene.desk.liftBan(TENANT, one ?? '')).toMatchObject({ ok: true });
    expect(scene.desk.liftBan(TENANT, one ?? '')).toMatchObject({ code: 'notFound' });
    expect(scene.desk.bans(TENANT, EVERYTHING).data).toMatchObject([{ id: two, clientId: 'two' }]);
    expect(scene.plain(device, 'one').stream.ended).toBe(false);
    expect(scene.plain(device, 'two').stream.ended).toBe(true);
  });

  it('made again counts once and gets the new time', async () => {
    const { scene, time } = await open({ tenantBans: 1 });
    scene.plain(scene.device('d2'), 'one');
    scene.plain(scene.device('d3'), 'two');
    const [first] = value(await scene.run(scene.desk.ban(TENANT, { clientId: 'one' }, 5_000)));
    const [second] = value(await scene.run(scene.desk.ban(TENANT, { clientId: 'one' }, 60_000)));
    expect(second).toEqual({ ...first, until: time.now() + 60_000 });
    expect(await scene.run(scene.desk.ban(TENANT, { clientId: 'two' }, 5_000))).toMatchObject({
      code: 'limitExceeded',
    });
  });

  it('reaches a device that is away where its key follows from it, and else says that there is nothing to ban', async () => {
    const { scene } = await open();
    const device = scene.device('d2', 'pushed');
    const bans = value(await scene.run(scene.desk.ban(TENANT, { device }, 60_000)));
    expect(bans).toMatchObject([{ clientId: null, owner: { id: 'd2' }, dialect: 'pushed' }]);
    expect(scene.pushed(device).stream.ended).toBe(true);
    for (const target of [{ device: scene.device('d3') }, { clientId: 'nobody' }]) {
      expect(await scene.run(scene.desk.ban(TENANT, target, 60_000))).toMatchObject({ code: 'notFound' });
    }
  });

  it('reaches the only Session of a device whose identity has more in it than its id', async () => {
    const { scene } = await open();
    const device = scene.device('d2', 'named');
    const bans = value(await scene.run(scene.desk.ban(TENANT, { device }, 60_000)));
    expect(bans).toMatchObject([{ owner: { id: 'd2' }, dialect: 'named' }]);
    expect(scene.broker.bans().map(({ sessionKey }) => sessionKey)).toEqual([`${TENANT}/named/d2/a name`]);
  });

  it('that was made elsewhere is listed as well', async () => {
    const { scene, time } = await open();
    scene.plain(scene.device('d2'), 'one');
    scene.broker.ban('tenant/plain/d2/one', time.now() + 5_000);
    const [ban] = scene.desk.bans(TENANT, EVERYTHING).data;
    expect(ban).toMatchObject({ id: 'uuid-1', clientId: 'one' });
    expect(scene.desk.bans(TENANT, EVERYTHING).data).toEqual([ban]);
    expect(scene.desk.liftBan(TENANT, 'uuid-1')).toMatchObject({ ok: true });
  });
});
