import type { ApiKeyInput as ApiInput, ApiKeyInfo } from '@moorage/api-types';
import type { ApiKey, ApiKeyInput, SavedApiKey } from '@moorage/core';
import { entityId, inputId } from './entity-ids.ts';

/** Without the value, which only the creating call shows. */
export function toApiKeyInfo(key: ApiKey): ApiKeyInfo {
  const { createdTime, expirationTime, description, enabled, expired } = key;
  return {
    id: entityId('API_KEY', key.id),
    createdTime,
    tenantId: entityId('TENANT', key.tenantId),
    userId: entityId('USER', key.userId),
    expirationTime,
    description,
    enabled,
    expired,
  };
}

export function toSavedApiKey({ key, value }: SavedApiKey): ApiKeyInfo {
  return value === null ? toApiKeyInfo(key) : { ...toApiKeyInfo(key), value };
}

export function fromApiKeyInput(input: ApiInput): ApiKeyInput {
  return {
    id: inputId(input.id),
    userId: input.userId.id.toLowerCase(),
    description: input.description ?? '',
    enabled: input.enabled ?? true,
    expirationTime: input.expirationTime ?? 0,
  };
}
