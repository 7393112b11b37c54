import { refTo, StorageReport } from '@moorage/api-types';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { refusalResponses } from './operation.ts';

const tags = ['server'];

/** api-additions.md, 3 */
export function registerStorageRoutes(app: ApiServer, context: ApiContext): void {
  const { refusals } = context;
  const { storage } = context.platform;

  app.get(
    '/storage',
    {
      schema: {
        operationId: 'getStorage',
        tags,
        summary: 'How much is stored, how fast it grows, and when the disk is full',
        description: 'For system administrators; where there is one tenant only, for its administrator too.',
        response: { 200: refTo(StorageReport), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await storage.report(callerOf(request));
      if (!result.ok) return refusals.platform(reply, result);
      const { bytes, stores, points, series, oldest, state, growthPerDay, measuredMs, disk, fullAt } = result.value;
      return {
        bytes,
        stores: stores.map((store) => ({ name: store.name, bytes: store.bytes })),
        points,
        series,
        oldestTs: oldest,
        state,
        growthBytesPerDay: growthPerDay,
        growthMeasuredMs: measuredMs,
        diskFreeBytes: disk?.freeBytes ?? null,
        diskTotalBytes: disk?.totalBytes ?? null,
        diskFullTs: fullAt,
        retentionDays: result.value.retentionDays,
      };
    },
  );
}
