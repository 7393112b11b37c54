import {
  type ApiKeyService,
  type AuditEntry,
  type AuditService,
  refuse,
  type StorageService,
  type TenantService,
  type WebhookService,
} from '@moorage/core';

const missing = async () => refuse('notFound');

/** No keys at all; tests of keys run on the registry itself. */
export function fakeApiKeys(): ApiKeyService {
  return {
    save: missing,
    list: missing,
    setDescription: missing,
    setEnabled: missing,
    remove: missing,
    authenticate: async () => refuse('badCredentials'),
  };
}

export function fakeTenants(): TenantService {
  return { save: missing, get: missing, list: missing, remove: missing, count: () => 1 };
}

export function fakeStorage(): StorageService {
  return { report: missing };
}

export function fakeWebhooks(): WebhookService {
  return { deliveries: missing, replay: missing };
}

/** Keeps what was recorded, and lists nothing. */
export function fakeAudit(recorded: AuditEntry[]): AuditService {
  return { record: (entry) => void recorded.push(entry), list: missing };
}
