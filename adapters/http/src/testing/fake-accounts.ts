import { type AccountService, refuse, success } from '@moorage/core';
import { addUser, type FakeState, TENANT_ID } from './fake-state.ts';

export function fakeAccounts(state: FakeState): AccountService {
  const byEmail = (email: string) => [...state.users.values()].find(({ user }) => user.email === email);
  const change = (id: string, password: string | null) => {
    const record = state.users.get(id);
    if (record === undefined) return refuse('notFound');
    record.user = { ...record.user, tokensValidFrom: record.user.tokensValidFrom + 1 };
    if (password !== null) record.password = password;
    return success(record.user);
  };
  return {
    async login(email, password) {
      const record = byEmail(email.toLowerCase());
      if (record === undefined || record.password !== password) return refuse('badCredentials');
      return record.user.enabled ? success(record.user) : refuse('accountDisabled');
    },
    async user(id) {
      const record = state.users.get(id);
      return record === undefined ? refuse('notFound') : success(record.user);
    },
    async changePassword(id, current, next) {
      if (state.users.get(id)?.password !== current) return refuse('badCredentials');
      return next.length < 6 ? refuse('passwordViolation') : change(id, next);
    },
    async logOutEverywhere(id) {
      return change(id, null);
    },
    async tenant(id) {
      return id === TENANT_ID ? success({ id, createdTime: 0, name: 'default' }) : refuse('notFound');
    },
    hasAdministrator: () => true,
    async setFirstAdministrator(email, password) {
      return success(addUser(state, email, password, 'TENANT_ADMIN'));
    },
    async setSystemAdministrator(email, password) {
      return success(addUser(state, email, password, 'SYS_ADMIN'));
    },
    loginPublic: async () => refuse('badCredentials'),
    publicUser: async () => refuse('notFound'),
  };
}
