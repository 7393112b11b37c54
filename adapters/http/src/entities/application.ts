import type { Application as ApiApplication, ApplicationInput as ApiApplicationInput } from '@moorage/api-types';
import type { Application, ApplicationInput, JsonObject } from '@moorage/core';
import { entityId, inputId } from './entity-ids.ts';

/** Members of the credentials of every dialect that are names and not secrets. api-additions.md, 2 */
const PUBLIC_MEMBERS = ['username', 'clientIdPrefix', 'appId', 'userId'];

function withoutSecrets(credentials: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(credentials).filter(([name]) => PUBLIC_MEMBERS.includes(name)));
}

/** An application; its secrets only where `secrets` says so. */
export function toApplication(application: Application, secrets: 'shown' | 'hidden'): ApiApplication {
  return {
    id: entityId('APPLICATION', application.id),
    createdTime: application.createdTime,
    tenantId: entityId('TENANT', application.tenantId),
    name: application.name,
    dialect: application.dialect,
    enabled: application.enabled,
    credentials: secrets === 'shown' ? application.credentials : withoutSecrets(application.credentials),
    configuration: application.configuration,
    version: application.version,
  };
}

export function toApplicationWithoutSecrets(application: Application): ApiApplication {
  return toApplication(application, 'hidden');
}

export function fromApplicationInput(input: ApiApplicationInput): ApplicationInput {
  return {
    id: inputId(input.id),
    name: input.name,
    dialect: input.dialect,
    enabled: input.enabled ?? true,
    credentials: input.credentials ?? {},
    configuration: input.configuration ?? {},
    version: input.version ?? null,
  };
}
