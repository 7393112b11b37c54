import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

let t: TestServer;

beforeEach(async () => {
  t = await openTestServer();
});
afterEach(() => t.server.close());

const create = () =>
  t.call('POST', '/api/application', { name: 'Node-RED', dialect: 'plain', credentials: { password: 's3cret' } });

describe('application', () => {
  it('shows its secrets to the creating call', async () => {
    const answer = await create();
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({
      id: { entityType: 'APPLICATION' },
      name: 'Node-RED',
      dialect: 'plain',
      enabled: true,
      credentials: { username: expect.any(String), password: 's3cret', clientIdPrefix: null },
      configuration: {},
    });
  });

  it('hides its secrets in lists, reads and updates', async () => {
    const application = (await create()).json();
    const { id } = application.id;
    const answers = [
      await t.call('GET', `/api/application/${id}`),
      await t.call('GET', '/api/applications?pageSize=10&page=0'),
      await t.call('POST', '/api/application', { ...application, name: 'Renamed' }),
    ];
    for (const answer of answers) {
      expect(answer.statusCode).toBe(200);
      expect(answer.body).not.toContain('s3cret');
      expect(answer.body).toContain(application.credentials.username);
    }
  });

  it('shows its secrets to the call for credentials', async () => {
    const { id } = (await create()).json();
    const credentials = (await t.call('GET', `/api/application/${id.id}/credentials`)).json();
    expect(credentials).toMatchObject({ password: 's3cret' });
  });

  it('is deleted', async () => {
    const { id } = (await create()).json();
    expect((await t.call('DELETE', `/api/application/${id.id}`)).body).toBe('');
    expect((await t.call('GET', `/api/application/${id.id}`)).json()).toMatchObject({ status: 404, errorCode: 32 });
  });

  it.each([
    ['{"dialect":"plain"}', "'name' is missing in the body"],
    ['{"name":"a"}', "'dialect' is missing in the body"],
    ['{"name":"a","dialect":"plain","enabled":"yes"}', "'enabled' in the body must be true or false"],
    ['{"name":"a","dialect":"plain","credentials":[]}', "'credentials' in the body must be an object or null"],
  ])('is refused for the body %s', async (body, message) => {
    const answer = await t.call('POST', '/api/application', body);
    expect(answer.json()).toMatchObject({ status: 400, errorCode: 31, message });
  });
});
