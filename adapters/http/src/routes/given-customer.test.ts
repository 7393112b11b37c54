import { NULL_ID } from '@moorage/core';
import { openTestRegistry } from '@moorage/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { entityPlatform } from '../testing/entity-platform.ts';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

let t: TestServer;
let customerId: { readonly entityType: string; readonly id: string };
const nobody = { entityType: 'CUSTOMER', id: NULL_ID };
const unknown = { entityType: 'CUSTOMER', id: '11111111-2222-4333-8444-555555555555' };

beforeAll(async () => {
  t = await openTestServer({ platform: await entityPlatform(await openTestRegistry()) });
  customerId = (await t.call('POST', '/api/customer', { title: 'Tenant of the cellar' })).json().id;
});
afterAll(() => t.server.close());

describe.each(['device', 'asset'])('the customer in the body of a saved %s', (kind) => {
  const save = (body: object) => t.call('POST', `/api/${kind}`, body);

  it('is assigned, stays when it is left out, and is taken away by the null UUID', async () => {
    const { id, name, ...created } = (await save({ name: `A ${kind}`, customerId })).json();
    expect(created.customerId).toEqual(customerId);
    expect((await save({ id, name, label: 'cellar' })).json()).toMatchObject({ customerId, label: 'cellar' });
    expect((await save({ id, name, customerId: nobody })).json().customerId).toEqual(nobody);
  });

  it('must be there, or nothing is saved', async () => {
    const refused = await save({ name: `An orphaned ${kind}`, customerId: unknown });
    expect([refused.statusCode, refused.json().errorCode]).toEqual([404, 32]);
    const list = await t.call('GET', `/api/tenant/${kind}s?pageSize=10&page=0&textSearch=orphaned`);
    expect(list.json().totalElements).toBe(0);
  });
});
