import { jsonString, PointList, ValueKind } from '@moorage/core';
import {
  type Disposition,
  NOTHING,
  perform,
  performAndTell,
  ReasonCode,
  refuseMessage,
  toBase64,
} from '@moorage/dialect-api';
import { AlinkCode } from './codes.ts';
import { type AlinkRequest, readResponse, responsePayload } from './envelope.ts';
import { blockRequest } from './file-blocks.ts';
import { elementsOf } from './json-text.ts';
import { firmwareGet } from './ota.ts';
import { LOG_MODE_ATTRIBUTE } from './platform-keys.ts';
import { PostedPoints, textPoint } from './points.ts';
import { accepted, handleRequest, owedTo, refused, type SystemMessage } from './requests.ts';
import type { LinkIdentity } from './signature.ts';
import { identifiersOf } from './thing-model.ts';

/** Section 2.6 */
const MAXIMUM_DESIRED = 200;
const MAXIMUM_TAGS = 200;
const MAXIMUM_LOG_ENTRIES = 200;
const MAXIMUM_MEMBERS = 16;

/** Largest identifier that a call of the platform has; larger ones are those of pushed properties. */
const LARGEST_CALL = 0x7fffffff;

/** Series under which what is not a property is kept. */
const RAW_KEY = 'raw';
const LOG_KEY = 'log';
const DIAGNOSIS_KEY = 'diag';

type Handler = (system: SystemMessage) => Disposition;

const HANDLERS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['thing/event/property/post', post((points, { params }) => points.properties(params))],
  ['thing/event/property/batch/post', post((points, { params }) => points.batch(params))],
  ['thing/event/property/history/post', post((points, { params }, self) => points.history(params, self))],
  ['thing/event/property/pack/post', post((points, { params }) => points.pack(params))],
  ['thing/model/up_raw', ({ message }) => series(textPoint(message.receivedAt, RAW_KEY, toBase64(message.payload)))],
  ['thing/property/desired/get', (system) => handleRequest(system, (request) => desiredGet(system, request))],
  ['thing/property/desired/delete', (system) => handleRequest(system, (request) => later(system, request))],
  ['thing/deviceinfo/update', (system) => handleRequest(system, (request) => tagsUpdate(system, request))],
  ['thing/deviceinfo/delete', (system) => handleRequest(system, (request) => later(system, request))],
  ['thing/deviceinfo/get', (system) => handleRequest(system, (request) => tagsGet(system, request))],
  ['thing/config/get', (system) => handleRequest(system, (request) => later(system, request))],
  ['thing/ota/firmware/get', firmwareGet],
  ['thing/file/download', blockRequest],
  ['thing/config/push_reply', serviceReply],
  ['thing/topo/add/notify_reply', serviceReply],
  ['thing/gateway/permit_reply', serviceReply],
  ['thing/config/log/get', (system) => handleRequest(system, (request) => logMode(system, request))],
  ['thing/log/post', (system) => handleRequest(system, (request) => logPost(system, request))],
  ['thing/dsltemplate/get', (system) => handleRequest(system, (request) => model(system, request))],
  ['thing/dynamicTsl/get', (system) => handleRequest(system, (request) => model(system, request))],
  ['_thing/diag/post', (system) => handleRequest(system, (request) => diagnosis(system, request))],
  ['thing/topo/add', gatewayRequest],
  ['thing/topo/delete', gatewayRequest],
  ['thing/topo/get', gatewayRequest],
  ['thing/sub/register', gatewayRequest],
  ['thing/list/found', (system) => handleRequest(system, (request) => accepted(system, request, []))],
  ['thing/topo/change_reply', serviceReply],
  ['thing/disable_reply', serviceReply],
  ['thing/enable_reply', serviceReply],
  ['thing/delete_reply', serviceReply],
]);

const EVENT = /^thing\/event\/([^/]+)\/post$/;
const SERVICE_REPLY = /^thing\/service\/.+_reply$/;

/** What a message to a topic of the system asks for; undefined: devices do not publish there. Section 2.4 */
export function systemUplink(system: SystemMessage): Disposition | undefined {
  const { suffix } = system;
  const handler = HANDLERS.get(suffix);
  if (handler !== undefined) return handler(system);
  const event = EVENT.exec(suffix)?.[1];
  if (event !== undefined) return post((points, { params }) => points.event(event, params))(system);
  return SERVICE_REPLY.test(suffix) ? serviceReply(system) : undefined;
}

function series(points: PointList): Disposition {
  return perform([{ kind: 'telemetry', points }]);
}

/** A post of values: all of it is stored, or nothing. */
function post(read: (points: PostedPoints, request: AlinkRequest, self: LinkIdentity) => void): Handler {
  return (system) =>
    handleRequest(system, (request) => {
      const posted = new PostedPoints(system.texts, system.message.receivedAt);
      read(posted, request, system.topics.identity);
      const points = posted.points();
      if (posted.fault !== null) return refused(system, request, posted.fault);
      return accepted(system, request, points.length === 0 ? [] : [{ kind: 'telemetry', points }]);
    });
}

/** The device's answer to a call; the server made the identifier, so any other answers nothing. One library's is not even JSON. */
function serviceReply({ texts, message }: SystemMessage): Disposition {
  const response = readResponse(texts, message.payload);
  if (response === undefined) return notJson('The answer of the device is not a JSON object.');
  const { id } = response;
  if (id === undefined || !/^\d{1,10}$/.test(id) || Number(id) > LARGEST_CALL) return NOTHING;
  return perform([{ kind: 'rpcResponse', id, payload: responsePayload(response) }]);
}

function notJson(reason: string): Disposition {
  return refuseMessage(ReasonCode.PayloadFormatInvalid, reason);
}

/** What takes reading and writing: the dialect does it and answers. */
function later(system: SystemMessage, request: AlinkRequest): Disposition {
  const { suffix } = system;
  const ref = owedTo(system, request, 'dialect');
  return perform([{ kind: 'dialectRequest', request: suffix, params: request.params ?? '{}', ref }]);
}

/** What only gateways ask; others are told that they have no relation to any device. Section 6 */
function gatewayRequest(system: SystemMessage): Disposition {
  return handleRequest(system, (request) =>
    system.isGateway ? later(system, request) : refused(system, request, AlinkCode.NoRelation),
  );
}

/** `["power","temperature"]`; nothing or `{}`: all of them. */
function desiredGet(system: SystemMessage, request: AlinkRequest): Disposition {
  const { params } = request;
  const ref = owedTo(system, request, 'desired');
  if (params === undefined || params === '{}' || params === '[]') {
    return perform([{ kind: 'attributesRequest', clientKeys: null, sharedKeys: 'all', ref }]);
  }
  const sharedKeys = identifiersOf(params, MAXIMUM_DESIRED);
  if (sharedKeys !== undefined) return perform([{ kind: 'attributesRequest', clientKeys: null, sharedKeys, ref }]);
  const tooMany = elementsOf(params, Number.MAX_SAFE_INTEGER) !== undefined && !hasOtherThanTexts(params);
  return refused(system, request, tooMany ? AlinkCode.TooManyDesired : AlinkCode.ParamsForm);
}

function hasOtherThanTexts(params: string): boolean {
  return elementsOf(params, Number.MAX_SAFE_INTEGER)?.some((element) => !element.startsWith('"')) ?? true;
}

/** `[{"attrKey":"k","attrValue":"v"}]` */
function tagsUpdate(system: SystemMessage, request: AlinkRequest): Disposition {
  const entries = elementsOf(request.params, MAXIMUM_TAGS);
  if (entries === undefined) return refused(system, request, AlinkCode.BadParameters);
  const values = new PointList();
  for (const entry of entries) {
    const members = system.texts.members(entry, MAXIMUM_MEMBERS);
    const key = jsonString(members?.get('attrKey'));
    const value = members?.get('attrValue');
    if (!key || value === undefined) return refused(system, request, AlinkCode.BadParameters);
    values.add(system.message.receivedAt, key, ValueKind.String, jsonString(value) ?? value);
  }
  return accepted(system, request, [{ kind: 'attributes', scope: 'CLIENT', values }]);
}

/** `{"attrKeys":["k"]}`; without keys all of them. */
function tagsGet(system: SystemMessage, request: AlinkRequest): Disposition {
  const ref = owedTo(system, request, 'tags');
  const keys = system.texts.members(request.params ?? '{}', MAXIMUM_MEMBERS)?.get('attrKeys');
  if (keys === undefined) return perform([{ kind: 'attributesRequest', clientKeys: 'all', sharedKeys: null, ref }]);
  const clientKeys = identifiersOf(keys, MAXIMUM_TAGS);
  if (clientKeys === undefined) return refused(system, request, AlinkCode.BadParameters);
  return perform([{ kind: 'attributesRequest', clientKeys, sharedKeys: null, ref }]);
}

function logMode(system: SystemMessage, request: AlinkRequest): Disposition {
  const ref = owedTo(system, request, 'logMode');
  return perform([{ kind: 'attributesRequest', clientKeys: null, sharedKeys: [LOG_MODE_ATTRIBUTE], ref }]);
}

/** The product's model stands in the settings, so nothing is looked up. */
function model(system: SystemMessage, request: AlinkRequest): Disposition {
  return performAndTell([], owedTo(system, request, 'model'));
}

/** Every entry is a point; those of one millisecond follow one another. Section 4.6 */
function logPost(system: SystemMessage, request: AlinkRequest): Disposition {
  const entries = elementsOf(request.params, MAXIMUM_LOG_ENTRIES);
  if (entries === undefined) return refused(system, request, AlinkCode.BadParameters);
  const points = new PointList();
  let last = 0;
  for (const entry of entries) {
    const members = system.texts.members(entry, MAXIMUM_MEMBERS);
    if (members === undefined) return refused(system, request, AlinkCode.BadParameters);
    const sent = utcTime(jsonString(members.get('utcTime'))) ?? system.message.receivedAt;
    last = Math.max(sent, last + 1);
    points.add(last, LOG_KEY, ValueKind.Json, entry);
  }
  return accepted(system, request, points.length === 0 ? [] : [{ kind: 'telemetry', points }]);
}

/** Epoch milliseconds of `2020-01-01T08:00:00.000+0800`; undefined: it is no such time. */
function utcTime(text: string | undefined): number | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?)([+-]\d\d):?(\d\d)$/.exec(text ?? '');
  if (match === null) return undefined;
  const ms = Date.parse(`${match[1]}${match[2]}:${match[3]}`);
  return Number.isNaN(ms) || ms < 0 ? undefined : ms;
}

function diagnosis(system: SystemMessage, request: AlinkRequest): Disposition {
  const { params } = request;
  if (system.texts.members(params, MAXIMUM_LOG_ENTRIES) === undefined || params === undefined) {
    return refused(system, request, AlinkCode.ParamsForm);
  }
  const points = new PointList();
  points.add(system.message.receivedAt, DIAGNOSIS_KEY, ValueKind.Json, params);
  return accepted(system, request, [{ kind: 'telemetry', points }]);
}
