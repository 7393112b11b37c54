import type { DeviceHttpAnswer, DeviceHttpRoute, DeviceRequest } from '@moorage/dialect-api';
import { credentialOf, isIdentity } from './credentials.ts';
import type { DeviceTokens } from './device-tokens.ts';
import type { LinkDirectory } from './directory.ts';
import { answer, formFields } from './http-routes.ts';

const BODY_LIMIT = 4096;
const MAXIMUM_HOST = 64;

/** Where devices reach MQTT; `host` null: under the name that the request came to. */
export interface MqttEndpoint {
  readonly host: string | null;
  readonly port: number;
}

export interface BootstrapOptions {
  readonly directory: LinkDirectory;
  readonly tokens: DeviceTokens;
  readonly endpoint: () => MqttEndpoint;
}

function refused(code: number, message: string): DeviceHttpAnswer {
  return answer(JSON.stringify({ code, message }));
}

/** A name or an address without its port; null: none that can be told. */
function hostOf({ headers }: DeviceRequest, { host }: MqttEndpoint): string | null {
  const told = host ?? String(headers?.host ?? '').replace(/:\d+$/, '');
  return /^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])$/.test(told) && told.length <= MAXIMUM_HOST ? told : null;
}

/** Devices that ask over HTTP where, or with what, they are to connect. Section 1.8 */
export function bootstrapRoutes({ directory, tokens, endpoint }: BootstrapOptions): readonly DeviceHttpRoute[] {
  const tooLarge = () => refused(460, 'request parameter error');
  const bootstrap = async (request: DeviceRequest): Promise<DeviceHttpAnswer> => {
    const to = endpoint();
    const host = hostOf(request, to);
    return host === null
      ? refused(500, 'system error')
      : answer(`{"code":200,"data":{"host":${JSON.stringify(host)},"port":${to.port}},"message":"success"}`);
  };
  return [
    { method: 'POST', path: '/auth/bootstrap', bodyLimit: BODY_LIMIT, tooLarge, handle: bootstrap },
    { method: 'GET', path: '/auth/bootstrap/regionId/:region', bodyLimit: 0, tooLarge, handle: bootstrap },
    {
      method: 'POST',
      path: '/auth/devicename',
      bodyLimit: BODY_LIMIT,
      tooLarge,
      async handle(request, desk) {
        const text = desk.text(request.body);
        const fields = text === undefined ? undefined : formFields(text);
        const identity = {
          productKey: fields?.get('productKey') ?? '',
          deviceName: fields?.get('deviceName') ?? '',
        };
        const sign = fields?.get('sign');
        const clientId = fields?.get('clientId');
        if (!isIdentity(identity) || sign === undefined || clientId === undefined) return tooLarge();
        const { productKey, deviceName } = identity;
        const to = endpoint();
        const host = hostOf(request, to);
        if (host === null) return refused(500, 'system error');
        const signed = {
          ...identity,
          clientId,
          sign,
          timestamp: fields?.get('timestamp'),
          method: fields?.get('signmethod'),
        };
        const isKnown = credentialOf(identity, desk.credentials)?.device != null;
        const iotToken = isKnown && directory.isSigned(signed) ? tokens.issue(identity, 'mqtt') : null;
        if (iotToken === null) {
          await desk.refused(
            request.remoteAddress,
            `${deviceName}&${productKey}`,
            'Pre-authentication: wrong signature.',
          );
          return refused(6600, 'sign check failed');
        }
        // The user name of the connection; that it names the device as any other one does needs no further table.
        const iotId = `${deviceName}&${productKey}`;
        const resources = `{"mqtt":{"host":${JSON.stringify(host)},"port":${to.port}}}`;
        return answer(
          `{"code":200,"data":{"iotId":"${iotId}","iotToken":"${iotToken}","resources":${resources}},"message":"success"}`,
        );
      },
    },
  ];
}
