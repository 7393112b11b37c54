import type { DeviceDesk, DeviceHttpAnswer, DeviceHttpRoute, DeviceRequest } from '@moorage/dialect-api';
import type { IngestOutcome } from '../data/account-data.ts';
import { isDeviceId, isTag } from '../text/names.ts';
import { MAXIMUM_PAYLOAD, type PayloadMode, readPayload } from '../text/payload.ts';
import { headerOf, nameHeader } from './headers.ts';
import { DeviceBuckets } from './rate-gates.ts';
import { accountOf, type HttpAccounts, type HttpSide } from './rest-route.ts';

/** Messages of a device at once; then one each second. thingscale.md, 4.7 */
const BURST = 5;
const MAXIMUM_BUCKETS = 100_000;

/** Code words and their status. thingscale.md, 2.3 and 4.7 */
const ANSWERS: Readonly<Record<IngestOutcome | 'AUTH_REQUIRED' | 'TOO_MANY_REQUESTS', readonly [number, string]>> = {
  stored: [200, 'OK'],
  created: [201, 'NEW_DEVICE_FOUND'],
  createdNotMapped: [201, 'NEW_DEVICE_FOUND'],
  AUTH_REQUIRED: [401, 'AUTH_REQUIRED'],
  TOKEN_MISMATCH: [401, 'AUTH_REQUIRED'],
  DEVICE_ID_ZERO: [400, 'DEVICE_ID_ZERO'],
  TOPIC_NOT_DATA: [400, 'TOPIC_NOT_DATA'],
  EMPTY_PAYLOAD: [400, 'EMPTY_PAYLOAD'],
  PAYLOAD_TOO_DEEP: [400, 'PAYLOAD_TOO_DEEP'],
  PAYLOAD_TOO_LARGE: [413, 'PAYLOAD_TOO_LARGE'],
  NO_MAPPED_CH: [403, 'NO_MAPPED_CH'],
  DEVICE_DISABLED: [403, 'DEVICE_DISABLED'],
  MAX_DEVICE_REACH: [403, 'MAX_DEVICE_REACH'],
  TOO_MANY_TAGS: [403, 'TOO_MANY_TAGS'],
  TOO_MANY_REQUESTS: [429, 'TOO_MANY_REQUESTS'],
  full: [503, 'STORAGE_FULL'],
  failed: [500, 'STORAGE_FAILED'],
};

function answer(outcome: keyof typeof ANSWERS): DeviceHttpAnswer {
  const [status, body] = ANSWERS[outcome];
  return { status, contentType: 'text/plain', body };
}

function isBinary(request: DeviceRequest): boolean {
  return /^application\/octet-stream\s*(?:;|$)/i.test(headerOf(request, 'content-type') ?? '');
}

/** The HTTP device connector. thingscale.md, 2.3 and 4.7 */
export function connectorRoutes(accounts: HttpAccounts, server: HttpSide): readonly DeviceHttpRoute[] {
  const rate = new DeviceBuckets(BURST, MAXIMUM_BUCKETS);

  const post = async (request: DeviceRequest, desk: DeviceDesk, version: 1 | 2): Promise<DeviceHttpAnswer> => {
    const application = await accountOf(request, desk, server, 'x-devicetoken');
    if (application?.application == null) return answer('AUTH_REQUIRED');
    const deviceId = nameHeader(request, desk, 'x-deviceid') ?? '0';
    if (!isDeviceId(deviceId)) return answer('DEVICE_ID_ZERO');
    const tag = version === 1 ? null : (nameHeader(request, desk, 'x-tagname') ?? null);
    if (tag !== null && !isTag(tag)) return answer('TOPIC_NOT_DATA');
    if (!rate.admits(`${application.application.id}/${deviceId}`, server.monotonic())) {
      return answer('TOO_MANY_REQUESTS');
    }
    const { body } = request;
    const text = desk.text(body);
    const written: PayloadMode = version === 1 ? 'legacy' : 'json';
    const mode = version === 2 && isBinary(request) ? 'binary' : written;
    const payload = readPayload(mode, body, text);
    if (typeof payload === 'string') return answer(payload);
    const data = await accounts.of(application);
    const bytes = mode === 'binary' || text === undefined ? { bytes: body } : {};
    return answer(await data.ingest({ deviceId, tag, ...payload, receivedAt: server.now(), ...bytes }));
  };

  return ([1, 2] as const).flatMap((version) =>
    [`/post_v${version}`, `/post_v${version}/`].map((path) => ({
      method: 'POST',
      path,
      bodyLimit: MAXIMUM_PAYLOAD,
      tooLarge: () => answer('PAYLOAD_TOO_LARGE'),
      handle: (request, desk) => post(request, desk, version),
    })),
  );
}
