/** An operation of the documentation. */
export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly operationId: string;
}

type Ids = Readonly<Record<string, string>>;

/** Query parameters that lists and look-ups need; others ignore them. */
const QUERY = [
  'pageSize=10&page=0&keys=a&customerTitle=Yard&userCredentialsEnabled=true',
  'deleteAllDataForKeys=true&startTs=0&endTs=1000',
].join('&');
/** These share a path with a list and are told apart by a parameter. */
const BY_NAME: Readonly<Record<string, string>> = {
  getTenantDevice: '&deviceName=Boiler',
  getTenantAsset: '&assetName=Hall',
};

const FREE_NAME: Readonly<Record<string, string>> = {
  entityType: 'DEVICE',
  scope: 'SERVER_SCOPE',
  ttl: '0',
  enabled: 'true',
  type: 'FIRMWARE',
  otaPackageType: 'FIRMWARE',
  deviceName: 'Boiler',
};

/** The path of a call about an entity of the tenant. */
function urlFor({ path, operationId }: Operation, ids: Ids): string {
  const [, , family = ''] = path.split('/');
  // `{id}` is of the entity that the path begins with.
  const own = ids[`${family.replace(/Infos?$|s$/, '')}Id`] ?? ids.deviceId ?? '';
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    if (name === 'id') return own;
    if (name === 'entityId') return ids.deviceId ?? '';
    return FREE_NAME[name] ?? ids[name] ?? own;
  });
  const device = `deviceIds=${ids.deviceId}&assetIds=${ids.assetId}`;
  const from = `&fromId=${ids.deviceId}&fromType=DEVICE&entityId=${ids.deviceId}&entityType=DEVICE`;
  const to = `&toId=${ids.assetId}&toType=ASSET&relationType=Contains`;
  const relation = !operationId.includes('Relation') ? '' : operationId.startsWith('find') ? from : from + to;
  return `${filled}?${QUERY}&${device}${relation}${BY_NAME[operationId] ?? ''}`;
}

/** A body that is good enough to be asked whether the caller may. */
function bodyFor(operationId: string, ids: Ids): object {
  const device = { entityType: 'DEVICE', id: ids.deviceId };
  const asset = { entityType: 'ASSET', id: ids.assetId };
  const name = `made by ${operationId}`;
  switch (operationId) {
    case 'saveApplication':
      return { name, dialect: 'plain' };
    case 'saveDeviceLink':
      return { name, source: { deviceId: device, key: 'k' }, target: { deviceId: ids.deviceId, method: 'm' } };
    case 'saveApiKey':
      return { userId: { id: ids.adminId }, description: 'x' };
    case 'saveDeviceCredentials':
      return { id: { id: ids.deviceId }, deviceId: device, credentialsType: 'ACCESS_TOKEN', credentialsId: 'abcdefgh' };
    case 'saveDeviceWithCredentials':
      return { device: { name }, credentials: { credentialsType: 'ACCESS_TOKEN', credentialsId: 'ijklmnop' } };
    case 'saveOtaPackageInfo':
      return { title: name, version: '1', type: 'FIRMWARE', deviceProfileId: { id: ids.profileId } };
    case 'saveRelation':
    case 'saveRelationV2':
      return { from: device, to: asset, type: 'Contains', typeGroup: 'COMMON' };
    case 'findEntityDataByQuery':
    case 'countEntitiesByQuery':
    case 'findEntityKeysByQuery':
      return {
        entityFilter: { type: 'entityType', entityType: 'DEVICE' },
        pageLink: { pageSize: 10, page: 0 },
        entityFields: [],
        latestValues: [],
      };
    case 'saveUser':
      return { email: 'made@example.org', authority: 'TENANT_ADMIN', tenantId: { id: ids.tenantId } };
    case 'processDevicesBulkImport':
      return { file: 'made', mapping: { columns: [{ type: 'NAME' }], delimiter: ',', update: true, header: false } };
    case 'addDashboardCustomers':
    case 'removeDashboardCustomers':
    case 'updateDashboardCustomers':
      return [ids.customerId];
    case 'saveAlarm':
      return { type: 'Cold', originator: device, severity: 'MINOR' };
    case 'startBrokerTrace':
    case 'banBrokerClient':
      return { deviceId: ids.deviceId, durationMs: 1_000 };
    case 'publishToDevice':
      return { topic: 'made', payload: 'x' };
    case 'claimDevice':
      return { secretKey: 'x' };
    default:
      return { name, title: name, type: 'default', method: 'on', params: {} };
  }
}

const FORM = ['--x', 'Content-Disposition: form-data; name="file"; filename="a"', '', 'bytes', '--x--', ''].join(
  '\r\n',
);

/** The call as it is sent. */
export function requestFor(
  operation: Operation,
  ids: Ids,
): { method: 'GET'; url: string; headers: Record<string, string> } & {
  payload?: string;
} {
  const { operationId } = operation;
  // The framework's type of a method is a list of them; the text is one of the document.
  const method = operation.method as 'GET';
  const url = urlFor(operation, ids);
  if (operationId === 'saveOtaPackageData') {
    return { method, url, headers: { 'content-type': 'multipart/form-data; boundary=x' }, payload: FORM };
  }
  const headers = { 'content-type': 'application/json' };
  return operation.method === 'GET'
    ? { method, url, headers: {} }
    : { method, url, headers, payload: JSON.stringify(bodyFor(operationId, ids)) };
}
