import type { User as ApiUser } from '@moorage/api-types';
import type { User } from '@moorage/core';
import { entityId } from './entity-ids.ts';

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
