import { applicationInput, callerOf, listQuery, openTestRegistry, succeeded } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { NULL_ID } from '../model/entities.ts';

describe('applications', () => {
  it('generate what is left out and show it to the creating call', async () => {
    const t = await openTestRegistry();
    const saved = succeeded(await t.applications.save(t.admin, applicationInput('Node-RED')));
    expect(saved).toMatchObject({
      dialect: 'plain',
      enabled: true,
      version: 1,
      credentials: {
        username: expect.stringMatching(/^[A-Za-z0-9]{20}$/),
        password: expect.stringMatching(/^[A-Za-z0-9]{24}$/),
        clientIdPrefix: null,
      },
      configuration: { publish: ['#'], subscribe: ['#'], command: false },
    });
    expect(succeeded(await t.applications.get(t.admin, saved.id))).toEqual(saved);
  });

  it('never show a password in lists', async () => {
    const t = await openTestRegistry();
    const credentials = { username: 'u', password: 'top secret' };
    succeeded(await t.applications.save(t.admin, applicationInput('A', { credentials })));
    const page = succeeded(await t.applications.list(t.admin, listQuery({ sortProperty: 'name' })));
    expect(page).toMatchObject({ totalElements: 1, data: [{ name: 'A', credentials: { username: 'u' } }] });
    expect(JSON.stringify(page)).not.toContain('top secret');
  });

  it('are stored sealed and known at CONNECT with their rights', async () => {
    const t = await openTestRegistry();
    const input = applicationInput('A', {
      credentials: { username: 'u', password: 'top secret', clientIdPrefix: 'app-' },
      configuration: { publish: ['a/#'], subscribe: ['b/+'], command: true, unknown: 1 },
    });
    const { id } = succeeded(await t.applications.save(t.admin, input));
    expect(JSON.stringify(await t.repositories.application(id))).not.toContain('top secret');
    const configuration = { publish: ['a/#'], subscribe: ['b/+'], command: true, clientIdPrefix: 'app-' };
    expect(t.credentials.byUsername('u')).toMatchObject({
      dialect: 'plain',
      credentials: [
        {
          credentialsType: 'APPLICATION',
          device: null,
          username: 'u',
          clientId: null,
          password: 'top secret',
          application: { id, tenantId: t.admin.tenantId, name: 'A', enabled: true, configuration },
        },
      ],
    });
    const next = await openTestRegistry({ repositories: t.repositories, crypto: t.crypto });
    expect(next.credentials.byUsername('u')?.credentials[0]).toMatchObject({
      password: 'top secret',
      application: { configuration },
    });
  });

  it('keep what an update leaves out', async () => {
    const t = await openTestRegistry();
    const credentials = { username: 'u', password: 'p', clientIdPrefix: 'x' };
    const first = applicationInput('A', { credentials, configuration: { publish: [], command: true } });
    const { id } = succeeded(await t.applications.save(t.admin, first));
    const second = applicationInput('B', { id, credentials: { clientIdPrefix: null } });
    expect(succeeded(await t.applications.save(t.admin, second))).toMatchObject({
      name: 'B',
      credentials: { username: 'u', password: 'p', clientIdPrefix: null },
      configuration: { publish: [], subscribe: ['#'], command: true },
      version: 2,
    });
  });

  it('cut connections when rights or credentials change, when disabled and when removed, and not otherwise', async () => {
    const t = await openTestRegistry();
    const { id } = succeeded(
      await t.applications.save(t.admin, applicationInput('A', { credentials: { username: 'u' } })),
    );
    const save = async (parts: Parameters<typeof applicationInput>[1]) =>
      succeeded(await t.applications.save(t.admin, applicationInput('A', { id, ...parts })));
    await save({});
    expect(t.revoked).toEqual([]);
    await save({ configuration: { publish: [] } });
    await save({ credentials: { password: 'other' } });
    await save({ credentials: { username: 'v' } });
    await save({ enabled: false });
    await save({ enabled: false });
    await save({ enabled: true });
    succeeded(await t.applications.remove(t.admin, id));
    const reasons = t.revoked.map((told) => told.split(' ')[0]);
    expect(reasons).toEqual(['credentialsChanged', 'credentialsChanged', 'credentialsChanged', 'disabled', 'deleted']);
    expect(t.credentials.byUsername('u')).toBeUndefined();
    expect(t.credentials.byUsername('v')).toBeUndefined();
  });

  it('are known as disabled, with their name', async () => {
    const t = await openTestRegistry();
    const input = applicationInput('A', { enabled: false, credentials: { username: 'u' } });
    succeeded(await t.applications.save(t.admin, input));
    expect(t.credentials.byUsername('u')?.credentials[0]?.application?.enabled).toBe(false);
  });

  it('refuse other dialects and malformed members', async () => {
    const t = await openTestRegistry();
    for (const parts of [
      { dialect: 'alibaba' },
      { dialect: 'constructor' },
      { credentials: { username: 5 } },
      { credentials: { username: 'provision' } },
      { credentials: { clientIdPrefix: '\u0000' } },
      { credentials: { password: 'p'.repeat(1025) } },
      { configuration: { publish: 'a' } },
      { configuration: { subscribe: ['a#b'] } },
      { configuration: { subscribe: [5] } },
      { configuration: { publish: Array(1001).fill('a') } },
      { configuration: { command: 'yes' } },
    ]) {
      expect(await t.applications.save(t.admin, applicationInput('A', parts))).toMatchObject({
        code: 'invalidArguments',
      });
    }
    expect(await t.applications.save(t.admin, applicationInput(''))).toMatchObject({ code: 'badRequest' });
  });

  it('belong to tenant administrators of their tenant', async () => {
    const t = await openTestRegistry();
    const { id } = succeeded(await t.applications.save(t.admin, applicationInput('A')));
    const denied = { code: 'permissionDenied' };
    const strangers = [
      callerOf('TENANT_ADMIN', NULL_ID),
      callerOf('CUSTOMER_USER', t.admin.tenantId, 'customer'),
      callerOf('SYS_ADMIN', NULL_ID),
    ];
    for (const caller of strangers) {
      expect(await t.applications.get(caller, id)).toMatchObject(denied);
      expect(await t.applications.remove(caller, id)).toMatchObject(denied);
      expect(await t.applications.save(caller, applicationInput('B', { id }))).toMatchObject(denied);
    }
    expect(await t.applications.get(t.admin, NULL_ID)).toMatchObject({ code: 'notFound' });
    expect(await t.applications.save(t.admin, applicationInput('A', { id, version: 9 }))).toMatchObject({
      code: 'versionConflict',
    });
  });
});
