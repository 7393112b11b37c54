import { appendFileSync, copyFileSync, mkdtempSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'vitest';

const DAMAGES: readonly [damage: string, whole: boolean, apply: (wal: string) => void][] = [
  ['garbage', true, (wal) => appendFileSync(wal, Buffer.alloc(5000, 0xa5))],
  ['half a frame', true, (wal) => appendFileSync(wal, Buffer.alloc(24 + 1000))],
  ['cut', false, (wal) => truncateSync(wal, Math.floor(statSync(wal).size * 0.6))],
];

/** Copies of a store file and its WAL, each in a directory of its own. `whole`: nothing that was written is missing. */
export function damagedCopies(
  directory: string,
  fileName: string,
): { readonly damage: string; readonly whole: boolean; readonly directory: string }[] {
  return DAMAGES.map(([damage, whole, apply]) => {
    const copy = mkdtempSync(join(directory, 'copy-'));
    for (const name of [fileName, `${fileName}-wal`]) copyFileSync(join(directory, name), join(copy, name));
    apply(join(copy, `${fileName}-wal`));
    return { damage, whole, directory: copy };
  });
}

/** Opens a store file with another installation id, of a newer version, and overwritten by text: all are refused. */
export async function expectRefusals(
  file: string,
  installationId: string,
  open: (installationId: string) => Promise<unknown>,
): Promise<void> {
  await expect(open('other')).rejects.toMatchObject({ code: 'other-installation' });
  const database = new DatabaseSync(file);
  database.exec("INSERT INTO migration (name, applied_at) VALUES ('2999-01-01-future', 0)");
  database.close();
  await expect(open(installationId)).rejects.toMatchObject({ code: 'newer-schema' });
  truncateSync(file, 0);
  appendFileSync(file, 'this is no database, but it is long enough to look like one. '.repeat(200));
  await expect(open(installationId)).rejects.toMatchObject({ code: 'corrupt-file' });
}
