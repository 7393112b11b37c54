import { type ClaimService, type CustomerService, refuse, type UserService } from '@moorage/core';

const missing = async () => refuse('notFound');

/** No customers at all; tests of customers run on the registry itself. */
export function fakeCustomers(): CustomerService {
  return {
    save: missing,
    get: missing,
    byTitle: missing,
    list: missing,
    remove: missing,
    assignDevice: missing,
    assignDeviceToPublic: missing,
    unassignDevice: missing,
    devices: missing,
    deviceInfos: missing,
    publicCustomer: missing,
  };
}

/** No users that could be administered. */
export function fakeUsers(): UserService {
  return {
    save: missing,
    get: missing,
    list: missing,
    ofCustomer: missing,
    ofTenant: missing,
    remove: missing,
    setEnabled: missing,
    actAs: missing,
    activationToken: missing,
    resetToken: missing,
    isToken: async () => false,
    activate: missing,
    resetPassword: missing,
  };
}

export function fakeClaims(): ClaimService {
  return { claim: missing, reclaim: missing };
}
