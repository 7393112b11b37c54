import { type ApplicationService, refuse, success } from '@moorage/core';
import { type FakeState, nextId, pageOf, TENANT_ID } from './fake-state.ts';

export function fakeApplications(state: FakeState): ApplicationService {
  const find = (id: string) => {
    const application = state.applications.get(id);
    return application === undefined ? refuse('notFound') : success(application);
  };
  return {
    async save(_caller, input) {
      const id = input.id ?? nextId(state);
      const credentials = { username: `app-${id.slice(-4)}`, password: 'generated', clientIdPrefix: null };
      const application = {
        id,
        createdTime: state.now,
        tenantId: TENANT_ID,
        name: input.name,
        dialect: input.dialect,
        enabled: input.enabled,
        credentials: { ...credentials, ...input.credentials },
        configuration: input.configuration,
        version: 1,
      };
      state.applications.set(id, application);
      return success(application);
    },
    async get(_caller, id) {
      return find(id);
    },
    async list(_caller, query) {
      return pageOf(state.applications.values(), query);
    },
    async remove(_caller, id) {
      const found = find(id);
      if (!found.ok) return found;
      state.applications.delete(id);
      return success(null);
    },
  };
}
