import { refTo, SystemInfo } from '@moorage/api-types';
import type { ApiContext, ApiServer } from '../api-context.ts';
import { refusalResponses } from './operation.ts';

/** Clients read it to decide whether they understand this server. thingsboard-server.md, 0.8 */
const EMULATED_VERSION = '4.3.1';

export function registerSystemRoutes(app: ApiServer, context: ApiContext): void {
  const info: SystemInfo = {
    version: EMULATED_VERSION,
    artifact: 'application',
    name: 'Moorage',
    type: 'CE',
    moorage: context.version,
  };

  app.get(
    '/system/info',
    {
      schema: {
        operationId: 'getSystemInfo',
        tags: ['system'],
        summary: 'API level and version of this server',
        response: { 200: refTo(SystemInfo), ...refusalResponses },
      },
    },
    async () => info,
  );
}
