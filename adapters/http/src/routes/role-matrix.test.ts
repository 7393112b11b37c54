import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Operation, requestFor } from '../testing/role-calls.ts';
import { OPEN_OPERATIONS, ROLE_EXPECTATIONS } from '../testing/role-expectations.ts';
import { openRoleScene, ROLES, type RoleScene } from '../testing/role-scene.ts';

/** Reading first, removing last and from the inside out, so that a call finds what it is about. */
const METHODS = ['GET', 'POST', 'PUT', 'DELETE'];
/** These end the session or change the password of whoever calls. */
const LAST = ['changePassword', 'logout'];

async function operationsOf({ t }: RoleScene): Promise<Operation[]> {
  const { paths } = (await t.send({ url: '/openapi.json' })).json();
  const operations = Object.entries<Record<string, { operationId: string }>>(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, { operationId }]) => ({ method: method.toUpperCase(), path, operationId })),
  );
  const rank = ({ method, operationId }: Operation) => METHODS.indexOf(method) + 10 * LAST.indexOf(operationId);
  return operations
    .filter(({ path }) => path.startsWith('/api/'))
    .sort((a, b) => rank(a) - rank(b) || b.path.length - a.path.length);
}

describe('every operation for every role', () => {
  let scene: RoleScene;
  beforeAll(async () => {
    scene = await openRoleScene();
  });
  afterAll(() => scene.close());

  it('is in the table, and the table has no other', async () => {
    const known = [...Object.keys(ROLE_EXPECTATIONS), ...OPEN_OPERATIONS].sort();
    expect((await operationsOf(scene)).map(({ operationId }) => operationId).sort()).toEqual(known);
  });

  it('TBS-6 is refused with 401 without a token, unless it is open', async () => {
    for (const operation of await operationsOf(scene)) {
      if (OPEN_OPERATIONS.includes(operation.operationId)) continue;
      const answer = await scene.t.send(requestFor(operation, scene.ids));
      expect(answer.statusCode, operation.operationId).toBe(401);
      expect(answer.json().errorCode, operation.operationId).toBe(10);
    }
  });

  it.each(ROLES.map((role, index) => ({ role, index })))(
    'TBS-14 TBS-15 TBS-43 is as the table says for the $role',
    async ({ role, index }) => {
      const s = await openRoleScene();
      let succeeded = 0;
      for (const operation of await operationsOf(s)) {
        const { operationId } = operation;
        // A stream that is allowed never ends; the tests of streams have it.
        const expected = operationId === 'streamDevice' ? 'n' : ROLE_EXPECTATIONS[operationId]?.charAt(index);
        if (OPEN_OPERATIONS.includes(operationId)) continue;
        if (operationId === 'streamDevice' && ROLE_EXPECTATIONS.streamDevice?.charAt(index) === 'y') continue;
        const request = requestFor(operation, s.ids);
        const headers = { ...request.headers, 'x-authorization': `Bearer ${s.tokens[role]}` };
        const { statusCode, body } = await s.t.send({ ...request, headers });
        const said = `${operationId}: ${statusCode} ${body.slice(0, 200)}`;
        if (expected === 'n') expect(statusCode, said).toBe(403);
        else if (expected === 'h') expect(statusCode, said).toBe(404);
        else if (expected === 'y') expect([200, 400, 404, 501], said).toContain(statusCode);
        else expect([200, 400, 403, 404], said).toContain(statusCode);
        if (statusCode === 200) succeeded += 1;
      }
      const least = {
        'another tenant': 30,
        'customer user': 60,
        'tenant administrator': 100,
        'system administrator': 10,
      };
      expect(succeeded).toBeGreaterThanOrEqual(least[role]);
      await s.close();
    },
  );
});
