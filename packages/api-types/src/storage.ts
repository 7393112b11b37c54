import { type Static, Type } from 'typebox';
import { named, nullableInteger } from './building-blocks.ts';

/** How much is stored and how long that can go on. api-additions.md, 3 */
export const StorageReport = named(
  'StorageReport',
  Type.Object({
    bytes: Type.Integer({ description: 'Of all stores.' }),
    stores: Type.Array(Type.Object({ name: Type.String(), bytes: Type.Integer() })),
    points: Type.Integer(),
    series: Type.Integer(),
    oldestTs: nullableInteger({ description: 'Time of the oldest point, epoch milliseconds.' }),
    state: Type.Enum(['ok', 'full', 'failed']),
    growthBytesPerDay: nullableInteger({ description: 'null: not measured for an hour yet.' }),
    growthMeasuredMs: Type.Integer({ description: 'Time over which the growth was measured, at most a week.' }),
    diskFreeBytes: nullableInteger({ description: 'null: not known on this system.' }),
    diskTotalBytes: nullableInteger({ description: 'null: not known on this system.' }),
    diskFullTs: nullableInteger({ description: 'When the disk is full at this rate; null: never, or not known.' }),
    retentionDays: Type.Integer({ description: 'Points older than this are removed.' }),
  }),
);
export type StorageReport = Static<typeof StorageReport>;
