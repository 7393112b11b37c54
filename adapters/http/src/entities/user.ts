import type { User as ApiUser, UserInput as ApiUserInput } from '@moorage/api-types';
import type { User, UserInput } from '@moorage/core';
import { entityId, inputId } from './entity-ids.ts';

/** thingsboard-server.md, 1.6 */
export function toUser(user: User): ApiUser {
  return {
    id: entityId('USER', user.id),
    createdTime: user.createdTime,
    tenantId: entityId('TENANT', user.tenantId),
    customerId: entityId('CUSTOMER', user.customerId),
    email: user.email,
    name: user.email,
    authority: user.authority,
    firstName: user.firstName,
    lastName: user.lastName,
    phone: null,
    additionalInfo: user.additionalInfo,
    version: user.version,
  };
}

/** Member of `additionalInfo` by which ThingsBoard says whether the user may sign in. */
const ENABLED_MEMBER = 'userCredentialsEnabled';

/** The user as its administrator sees it. */
export function toGovernedUser(user: User): ApiUser {
  return { ...toUser(user), additionalInfo: { ...user.additionalInfo, [ENABLED_MEMBER]: user.enabled } };
}

export function fromUserInput(input: ApiUserInput): UserInput {
  const free = Object.entries(input.additionalInfo ?? {}).filter(([member]) => member !== ENABLED_MEMBER);
  return {
    id: inputId(input.id),
    email: input.email,
    authority: input.authority,
    customerId: inputId(input.customerId),
    tenantId: inputId(input.tenantId),
    firstName: input.firstName ?? null,
    lastName: input.lastName ?? null,
    additionalInfo: free.length === 0 ? null : Object.fromEntries(free),
    version: input.version ?? null,
  };
}
