import { callerOf } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { NULL_ID } from '../model/entities.ts';
import { authorize, type EntityKind, type Operation } from './authorize.ts';

const OPERATIONS: readonly Operation[] = [
  'read',
  'create',
  'write',
  'delete',
  'readCredentials',
  'writeCredentials',
  'data',
];
const own = { tenantId: 't', customerId: 'c' };
const allowed = (caller: Parameters<typeof authorize>[0], kind: EntityKind, entity = own) =>
  OPERATIONS.filter((operation) => authorize(caller, operation, kind, entity) === null);

describe('rights', () => {
  it('gives the tenant administrator everything in its tenant and nothing elsewhere', () => {
    const caller = callerOf('TENANT_ADMIN', 't');
    for (const kind of ['device', 'profile', 'application'] as const) {
      expect(allowed(caller, kind)).toEqual(OPERATIONS);
      expect(allowed(caller, kind, { tenantId: 'other', customerId: 'c' })).toEqual([]);
    }
  });

  it('gives the customer user its own devices, without creating and deleting', () => {
    const caller = callerOf('CUSTOMER_USER', 't', 'c');
    expect(allowed(caller, 'device')).toEqual(['read', 'write', 'readCredentials', 'data']);
    expect(allowed(caller, 'device', { tenantId: 't', customerId: 'other' })).toEqual([]);
    expect(allowed(caller, 'device', { tenantId: 'other', customerId: 'c' })).toEqual([]);
    expect(allowed(caller, 'profile')).toEqual(['read']);
    expect(allowed(caller, 'application')).toEqual([]);
  });

  it('gives a customer user without customer nothing, also not the devices of no customer', () => {
    const caller = callerOf('CUSTOMER_USER', 't', NULL_ID);
    expect(allowed(caller, 'device', { tenantId: 't', customerId: NULL_ID })).toEqual([]);
    expect(allowed(caller, 'profile')).toEqual([]);
  });

  it('TBS-15 keeps the system administrator out of the tenants', () => {
    const caller = callerOf('SYS_ADMIN', 't');
    for (const kind of ['device', 'profile', 'application'] as const) expect(allowed(caller, kind)).toEqual([]);
  });
});
