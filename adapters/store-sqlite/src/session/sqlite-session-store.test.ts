import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeSessionStore } from '@moorage/testkit';
import { SqliteSessionStore } from './sqlite-session-store.ts';

for (const end of ['close', 'terminate'] as const) {
  let directory = '';
  let store: SqliteSessionStore;

  const openIn = async (now: () => number) => {
    store = await SqliteSessionStore.open({ directory, installationId: 'contract', now, ballastBytes: 0 });
    return store;
  };

  describeSessionStore(`SQLite, ended by ${end}`, {
    open(now) {
      directory = mkdtempSync(join(tmpdir(), 'moorage-session-'));
      return openIn(now);
    },
    async reopen(now) {
      await store[end]();
      return openIn(now);
    },
    async close() {
      await store.terminate();
      rmSync(directory, { recursive: true });
    },
  });
}
