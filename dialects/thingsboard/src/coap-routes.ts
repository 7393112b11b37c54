import type { DeviceIntent, DeviceRef, OtaPackageType } from '@moorage/core';
import { formatValues, type Value } from '@moorage/core';
import type {
  CoapObservation,
  DeviceCoapAnswer,
  DeviceCoapRoute,
  DeviceDesk,
  DeviceRequest,
} from '@moorage/dialect-api';
import { formatAttributes } from './attribute-requests.ts';
import { authenticate, mayUseCoap } from './device-api/authenticate.ts';
import { code, jsonAnswer, OCTET_STREAM_FORMAT, outcomeCode } from './device-api/coap-answers.ts';
import { CoapObservations } from './device-api/coap-observations.ts';
import { attributeTexts, rpcText } from './device-api/command-texts.ts';
import { DeviceBodies } from './device-api/device-bodies.ts';
import { isOf, partOf, wantedPart } from './device-api/package-part.ts';
import { attributeKeysOf } from './device-api/query.ts';
import { isProblem, type Problem } from './payload-context.ts';
import { MAXIMUM_PAYLOAD_SIZE } from './payloads.ts';
import { formatProvisionOutcome } from './provisioning.ts';
import { isRequestId } from './topics.ts';

type Handle = (request: DeviceRequest, desk: DeviceDesk, device: DeviceRef) => Promise<DeviceCoapAnswer>;
type Observe = NonNullable<DeviceCoapRoute['observe']>;

const CANCELLED = code('2.02');

/** The vendor's CoAP API for devices. Section 10 */
export function createCoapRoutes(): readonly DeviceCoapRoute[] {
  const bodies = new DeviceBodies();
  const observations = new CoapObservations();
  return [
    device('POST', '/api/v1/:token/telemetry', (request, desk, ref) =>
      submit(desk, ref, bodies.telemetry(request.body, ref, desk)),
    ),
    device('POST', '/api/v1/:token/attributes', (request, desk, ref) =>
      submit(desk, ref, bodies.attributes(request.body, ref, desk)),
    ),
    {
      ...device('GET', '/api/v1/:token/attributes', getAttributes),
      observe: observeAttributes(observations),
      cancelled: CANCELLED,
    },
    {
      // An RPC can be waited for only. Section 10
      ...device('GET', '/api/v1/:token/rpc', async () => code('4.00')),
      observe: observeRpc(observations),
      cancelled: CANCELLED,
    },
    device('POST', '/api/v1/:token/rpc/:id', (request, desk, ref) => answerRpc(bodies, request, desk, ref)),
    device('POST', '/api/v1/:token/rpc', async ({ body }, desk, ref) => {
      const call = bodies.clientCall(body, desk);
      return isProblem(call) ? code('4.00') : jsonAnswer('2.05', await desk.clientRpc(ref, call.method, call.params));
    }),
    device('POST', '/api/v1/:token/claim', async ({ body }, desk, ref) => {
      const claim = bodies.claim(body, desk);
      return submit(desk, ref, isProblem(claim) ? claim : [claim]);
    }),
    device('GET', '/fw/:token', (request, desk, ref) => download('FIRMWARE', request, desk, ref)),
    device('GET', '/sw/:token', (request, desk, ref) => download('SOFTWARE', request, desk, ref)),
    { ...route('POST', '/api/v1/provision'), handle: (request, desk) => provision(bodies, request, desk) },
    ...badPaths(),
  ];
}

function route(method: DeviceCoapRoute['method'], path: string) {
  return { method, path, bodyLimit: MAXIMUM_PAYLOAD_SIZE };
}

/** A route for who has a token. */
function device(method: DeviceCoapRoute['method'], path: string, handle: Handle): DeviceCoapRoute {
  return {
    ...route(method, path),
    async handle(request, desk) {
      const ref = await admitted(request, desk);
      return isAnswer(ref) ? ref : handle(request, desk, ref);
    },
  };
}

/** Paths below the API that mean nothing, telemetry read among them. Section 10 */
function badPaths(): readonly DeviceCoapRoute[] {
  const paths = ['/api/v1', '/api/v1/:a', '/api/v1/:a/:b', '/api/v1/:a/:b/:c'];
  return (['GET', 'POST'] as const).flatMap((method) =>
    paths.map((path) => ({ ...route(method, path), handle: async () => code('4.00') })),
  );
}

async function admitted(request: DeviceRequest, desk: DeviceDesk): Promise<DeviceRef | DeviceCoapAnswer> {
  const ref = await authenticate(request, desk);
  if (ref === null) return code('4.01');
  return mayUseCoap(ref) ? ref : code('5.00');
}

function isAnswer(value: DeviceRef | DeviceCoapAnswer): value is DeviceCoapAnswer {
  return Object.hasOwn(value, 'code');
}

async function submit(
  desk: DeviceDesk,
  ref: DeviceRef,
  intents: readonly DeviceIntent[] | Problem,
): Promise<DeviceCoapAnswer> {
  return isProblem(intents) ? code('4.00') : outcomeCode(await desk.submit(ref, intents), '2.01');
}

async function getAttributes(request: DeviceRequest, desk: DeviceDesk, ref: DeviceRef): Promise<DeviceCoapAnswer> {
  const keys = attributeKeysOf(request.query);
  if (keys === undefined) return code('4.00');
  const submitted = await desk.submit(ref, []);
  if (submitted !== 'stored') return outcomeCode(submitted, '2.05');
  const { client, shared } = await desk.attributes(ref, keys.clientKeys, keys.sharedKeys);
  const isEmpty = client.length === 0 && shared.length === 0;
  return isEmpty ? code('4.04') : jsonAnswer('2.05', formatAttributes(client, shared));
}

function observeAttributes(observations: CoapObservations): Observe {
  return async (request, desk, notify, end) => {
    const ref = await observer(request, desk);
    if (isAnswer(ref)) return ref;
    // First heard, then read: what changes in between is notified and not lost.
    const close = observations.begin(desk, ref, { kind: 'sharedAttributes', texts: attributeTexts, notify, end });
    try {
      const { shared } = await desk.attributes(ref, null, 'all');
      const values = shared.map((attribute): [string, Value] => [attribute.key, attribute]);
      return { first: jsonAnswer('2.05', formatValues(values)), close };
    } catch (error) {
      close();
      throw error;
    }
  };
}

function observeRpc(observations: CoapObservations): Observe {
  return async (request, desk, notify, end): Promise<CoapObservation | DeviceCoapAnswer> => {
    const ref = await observer(request, desk);
    if (isAnswer(ref)) return ref;
    const texts = (command: Parameters<typeof rpcText>[0]): readonly string[] => {
      const text = rpcText(command);
      return text === undefined ? [] : [text];
    };
    const close = observations.begin(desk, ref, { kind: 'rpc', texts, notify, end });
    return { first: code('2.03'), close };
  };
}

async function observer(request: DeviceRequest, desk: DeviceDesk): Promise<DeviceRef | DeviceCoapAnswer> {
  const ref = await admitted(request, desk);
  if (isAnswer(ref)) return ref;
  const submitted = await desk.submit(ref, []);
  return submitted === 'stored' ? ref : outcomeCode(submitted, '2.05');
}

/** Over CoAP an answer is a JSON object. Section 10 */
async function answerRpc(
  bodies: DeviceBodies,
  request: DeviceRequest,
  desk: DeviceDesk,
  ref: DeviceRef,
): Promise<DeviceCoapAnswer> {
  const id = request.parameters.id ?? '';
  const payload = bodies.isJsonObject(request.body, desk) ? desk.text(request.body) : undefined;
  if (!isRequestId(id) || payload === undefined) return code('4.00');
  return submit(desk, ref, [{ kind: 'rpcResponse', id: String(Number(id)), payload }]);
}

async function download(
  type: OtaPackageType,
  request: DeviceRequest,
  desk: DeviceDesk,
  ref: DeviceRef,
): Promise<DeviceCoapAnswer> {
  const wanted = wantedPart(request.query);
  if (wanted === undefined) return code('4.00');
  const submitted = await desk.submit(ref, []);
  if (submitted !== 'stored') return outcomeCode(submitted, '2.05');
  const found = await desk.download(ref, type);
  if (typeof found === 'string') return code('4.04');
  if (!isOf(found, wanted)) {
    found.close();
    return code('4.00');
  }
  return { code: '2.05', contentFormat: OCTET_STREAM_FORMAT, body: partOf(found, wanted) };
}

/** 2.01 on success, otherwise 4.00 with the body that HTTP has too. Section 6.4 */
async function provision(bodies: DeviceBodies, request: DeviceRequest, desk: DeviceDesk): Promise<DeviceCoapAnswer> {
  const wanted = bodies.provision(request.body, desk);
  if (wanted === 'malformed' || isProblem(wanted)) return code('4.00');
  const result = await desk.provision(wanted);
  if (typeof result === 'string') return outcomeCode(result, '2.01');
  if (result.status === 'NOT_FOUND') {
    await desk.refused(request.remoteAddress, wanted.deviceKey, 'The provisioning key or secret is not known.');
  }
  return jsonAnswer(result.status === 'SUCCESS' ? '2.01' : '4.00', formatProvisionOutcome(result));
}
