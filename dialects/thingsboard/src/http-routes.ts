import type { DeviceIntent, DeviceRef, OtaPackageType } from '@moorage/core';
import type { DeviceDesk, DeviceHttpAnswer, DeviceHttpRoute, DeviceRequest } from '@moorage/dialect-api';
import { formatAttributes } from './attribute-requests.ts';
import { authenticate } from './device-api/authenticate.ts';
import { attributesText, rpcText } from './device-api/command-texts.ts';
import { type BodyProblem, DeviceBodies } from './device-api/device-bodies.ts';
import { fileHeaders, fileType } from './device-api/file-headers.ts';
import { bare, json, outcome, text, tooLarge } from './device-api/http-answers.ts';
import { type Poll, pollOnce } from './device-api/http-poll.ts';
import { isOf, partOf, wantedPart } from './device-api/package-part.ts';
import { attributeKeysOf, numberOf } from './device-api/query.ts';
import { isProblem, type Problem } from './payload-context.ts';
import { formatProvisionOutcome } from './provisioning.ts';
import { isRequestId } from './topics.ts';

/** Section 9 */
const RPC_BODY_LIMIT = 65_536;
const BODY_LIMIT = 52_428_800;

type ForDevice = (request: DeviceRequest, desk: DeviceDesk, device: DeviceRef) => Promise<DeviceHttpAnswer>;

/** The vendor's HTTP API for devices. Section 9 */
export function createHttpRoutes(): readonly DeviceHttpRoute[] {
  const bodies = new DeviceBodies();
  return [
    device('POST', 'telemetry', (request, desk, ref) => submit(desk, ref, bodies.telemetry(request.body, ref, desk))),
    device('POST', 'attributes', (request, desk, ref) => submit(desk, ref, bodies.attributes(request.body, ref, desk))),
    device('GET', 'attributes', getAttributes),
    device('GET', 'attributes/updates', poll('sharedAttributes', attributesText)),
    device('GET', 'rpc', poll('rpc', rpcText)),
    device('POST', 'rpc/:id', answerRpc, RPC_BODY_LIMIT),
    device('POST', 'rpc', (request, desk, ref) => callServer(bodies, request, desk, ref), RPC_BODY_LIMIT),
    device('POST', 'claim', async ({ body }, desk, ref) => {
      const claim = bodies.claim(body, desk);
      return submit(desk, ref, isProblem(claim) ? claim : [claim]);
    }),
    device('GET', 'firmware', (request, desk, ref) => download('FIRMWARE', request, desk, ref)),
    device('GET', 'software', (request, desk, ref) => download('SOFTWARE', request, desk, ref)),
    {
      method: 'POST',
      path: '/api/v1/provision',
      bodyLimit: RPC_BODY_LIMIT,
      tooLarge,
      handle: (request, desk) => provision(bodies, request, desk),
    },
  ];
}

/** A route for who has a token. */
function device(
  method: DeviceHttpRoute['method'],
  path: string,
  handle: ForDevice,
  bodyLimit = BODY_LIMIT,
): DeviceHttpRoute {
  return {
    method,
    path: `/api/v1/:token/${path}`,
    bodyLimit,
    tooLarge,
    async handle(request, desk) {
      const ref = await authenticate(request, desk);
      return ref === null ? bare(401) : handle(request, desk, ref);
    },
  };
}

async function submit(
  desk: DeviceDesk,
  ref: DeviceRef,
  intents: readonly DeviceIntent[] | BodyProblem | Problem,
): Promise<DeviceHttpAnswer> {
  if (isProblem(intents)) return badBody(intents);
  return outcome(await desk.submit(ref, intents));
}

/** 400 instead of the original's 500. Section 9 */
function badBody(problem: Problem): DeviceHttpAnswer {
  return text('tooLarge' in problem && problem.tooLarge === true ? 413 : 400, problem.problem);
}

async function getAttributes(request: DeviceRequest, desk: DeviceDesk, ref: DeviceRef): Promise<DeviceHttpAnswer> {
  const keys = attributeKeysOf(request.query);
  if (keys === undefined) return text(400, 'Too many keys.');
  const admitted = await desk.submit(ref, []);
  if (admitted !== 'stored') return outcome(admitted);
  const { client, shared } = await desk.attributes(ref, keys.clientKeys, keys.sharedKeys);
  return json(formatAttributes(client, shared));
}

function poll(kind: Poll['kind'], format: Poll['format']): ForDevice {
  return async (request, desk, ref) => {
    const timeoutMs = numberOf(request.query, 'timeout');
    if (timeoutMs === undefined) return text(400, 'The timeout is no number of milliseconds.');
    const admitted = await desk.submit(ref, []);
    return admitted === 'stored' ? pollOnce(request, desk, ref, { kind, timeoutMs, format }) : outcome(admitted);
  };
}

/** Any text is an answer; who asked judges whether it is JSON. */
async function answerRpc(request: DeviceRequest, desk: DeviceDesk, ref: DeviceRef): Promise<DeviceHttpAnswer> {
  const id = request.parameters.id ?? '';
  const payload = desk.text(request.body);
  if (!isRequestId(id)) return text(400, 'The identifier of an RPC answer is not a number.');
  if (payload === undefined) return text(400, 'The RPC answer is not UTF-8.');
  return submit(desk, ref, [{ kind: 'rpcResponse', id: String(Number(id)), payload }]);
}

async function callServer(
  bodies: DeviceBodies,
  request: DeviceRequest,
  desk: DeviceDesk,
  ref: DeviceRef,
): Promise<DeviceHttpAnswer> {
  const call = bodies.clientCall(request.body, desk);
  return isProblem(call) ? badBody(call) : json(await desk.clientRpc(ref, call.method, call.params));
}

async function download(
  type: OtaPackageType,
  request: DeviceRequest,
  desk: DeviceDesk,
  ref: DeviceRef,
): Promise<DeviceHttpAnswer> {
  const wanted = wantedPart(request.query);
  if (wanted === undefined || wanted.title === null || wanted.version === null) {
    return text(400, 'The request needs title and version; size and chunk are numbers.');
  }
  const admitted = await desk.submit(ref, []);
  if (admitted !== 'stored') return outcome(admitted);
  const found = await desk.download(ref, type);
  if (typeof found === 'string') return bare(404);
  if (!isOf(found, wanted)) {
    found.close();
    return text(400, 'The assigned package has another title or version.');
  }
  return {
    status: 200,
    contentType: fileType(found.contentType),
    headers: fileHeaders(found.fileName),
    body: partOf(found, wanted),
  };
}

/** 200 for every status; 500 where a required member is missing. Section 6.4 */
async function provision(bodies: DeviceBodies, request: DeviceRequest, desk: DeviceDesk): Promise<DeviceHttpAnswer> {
  const wanted = bodies.provision(request.body, desk);
  if (wanted === 'malformed') return text(400, 'The body is not a JSON object.');
  if (isProblem(wanted)) return text(500, wanted.problem);
  const result = await desk.provision(wanted);
  if (typeof result === 'string') return outcome(result);
  if (result.status === 'NOT_FOUND') {
    await desk.refused(request.remoteAddress, wanted.deviceKey, 'The provisioning key or secret is not known.');
  }
  return json(formatProvisionOutcome(result));
}
