import { BulkImportRequest, BulkImportResult, refTo } from '@moorage/api-types';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { refusalResponses } from './operation.ts';

/** thingsboard-server.md, section 6 */
export function registerBulkImportRoutes(app: ApiServer, context: ApiContext): void {
  const { refusals } = context;
  const { bulkImport } = context.platform;

  app.post(
    '/device/bulk_import',
    {
      schema: {
        operationId: 'processDevicesBulkImport',
        tags: ['device'],
        summary: 'Create and update devices from a CSV file',
        description:
          'Columns: NAME, TYPE, LABEL, DESCRIPTION, IS_GATEWAY, ACCESS_TOKEN, X509, MQTT_CLIENT_ID, MQTT_USER_NAME, ' +
          'MQTT_PASSWORD, and with a key SHARED_ATTRIBUTE, SERVER_ATTRIBUTE, TIMESERIES. At most 100,000 lines.',
        body: refTo(BulkImportRequest),
        response: { 200: refTo(BulkImportResult), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const { file, mapping, dryRun } = request.body;
      const result = await bulkImport.devices(callerOf(request), {
        file,
        columns: mapping.columns.map(({ type, key }) => ({ type, key: key ?? null })),
        delimiter: mapping.delimiter === '' ? null : (mapping.delimiter ?? null),
        update: mapping.update ?? true,
        header: mapping.header ?? true,
        dryRun: dryRun ?? false,
      });
      if (!result.ok) return refusals.platform(reply, result);
      return { ...result.value, errorsList: [...result.value.errorsList] };
    },
  );
}
