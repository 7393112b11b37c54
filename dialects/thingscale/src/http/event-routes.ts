import { isObject, parseJson } from '@moorage/core';
import type { DeviceHttpAnswer } from '@moorage/dialect-api';
import type { ThingscaleEvent } from '../data/account-data.ts';
import { changed, error, json } from './answers.ts';
import { BadMember, BodyReader, bodyMembers, type Members } from './body-members.ts';
import { defined } from './defined.ts';
import type { RestCall, RestEntry } from './rest-route.ts';

/** Rules of one account: each is looked at for every point of its channel. */
const MAXIMUM_EVENTS = 1000;
const MAXIMUM_SOURCE = 256;
const MAXIMUM_URL = 2048;
const URL_FORM = /^https?:\/\/[^\s/?#]+\S*$/i;
const OPERATORS = ['<', '>', '<=', '>=', '=', '!='] as const;

type EventFields = Omit<ThingscaleEvent, 'eventId'>;

function eventText(event: ThingscaleEvent): string {
  return JSON.stringify({
    event_id: event.eventId,
    mapped_ch: event.mappedChannel,
    description: event.description,
    notify_type: event.notifyType,
    post_url: event.postUrl,
    enabled: event.enabled,
    source: event.source,
    operator: event.operator,
    threshold: event.threshold,
  });
}

function idText(eventId: number): string {
  return `{"event_id":${eventId}}`;
}

/** A text; a number or boolean stands for the text that it is written as. */
function thresholdOf(members: Members, body: BodyReader): string | undefined {
  const text = members.get('threshold');
  if (text === undefined || text.startsWith('"')) return body.text('threshold');
  const value = parseJson(text);
  if (value === null || isObject(value) || Array.isArray(value)) throw new BadMember('threshold');
  return text;
}

/** The fields that a body gives. */
function fieldsOf({ request, desk }: RestCall): Partial<EventFields> {
  const members = bodyMembers(request.body, desk);
  if (members === undefined) throw new BadMember('body');
  const body = new BodyReader(members);
  return defined({
    mappedChannel: body.count('mapped_ch'),
    description: body.text('description'),
    notifyType: body.oneOf('notify_type', ['email', 'http'] as const),
    postUrl: body.text('post_url', MAXIMUM_URL),
    enabled: body.boolean('enabled'),
    source: body.text('source', MAXIMUM_SOURCE),
    operator: body.oneOf('operator', OPERATORS),
    threshold: thresholdOf(members, body),
  });
}

/** Only what can be evaluated and told to somebody is a rule. */
function isRule({ source, notifyType, postUrl }: Partial<EventFields>): boolean {
  if (source === undefined || source === '') return false;
  return notifyType === 'http' ? URL_FORM.test(postUrl ?? '') : postUrl === '' || URL_FORM.test(postUrl ?? '');
}

async function createEvent(call: RestCall): Promise<DeviceHttpAnswer> {
  const { operator, threshold, source, ...fields } = fieldsOf(call);
  if (operator === undefined || threshold === undefined || source === undefined) return error('BAD_JSON_FORMAT');
  const event: EventFields = {
    mappedChannel: null,
    description: '',
    notifyType: fields.postUrl === undefined ? 'email' : 'http',
    postUrl: '',
    enabled: true,
    ...fields,
    source,
    operator,
    threshold,
  };
  if (!isRule(event)) return error('BAD_JSON_FORMAT');
  if (call.data.events().length >= MAXIMUM_EVENTS) return error('MAX_EVENT_REACH');
  const outcome = await call.data.createEvent(event);
  return typeof outcome === 'number' ? json(201, idText(outcome)) : error(outcome);
}

/** The number that a path names; -1: no event has it. */
function eventId(id: string | undefined): number {
  return id !== undefined && /^\d{1,15}$/.test(id) ? Number(id) : -1;
}

async function updateEvent(call: RestCall): Promise<DeviceHttpAnswer> {
  const former = call.data.event(eventId(call.id));
  if (former === undefined) return error('NO_EVENT');
  const changes = fieldsOf(call);
  if (!isRule({ ...former, ...changes })) return error('BAD_JSON_FORMAT');
  return changed(await call.data.updateEvent(former.eventId, changes), 200, () => idText(former.eventId));
}

/** The event service. thingscale.md, 2.4 and 4.8 */
export const EVENT_ROUTES: readonly RestEntry[] = [
  {
    method: 'GET',
    path: '/v2/event',
    handle: ({ data }) => json(200, `[${data.events().map(eventText).join(',')}]`),
  },
  {
    method: 'GET',
    path: '/v2/event/:id',
    handle({ data, id }) {
      const event = data.event(eventId(id));
      return event === undefined ? error('NO_EVENT') : json(200, `[${eventText(event)}]`);
    },
  },
  { method: 'POST', path: '/v2/event', handle: createEvent },
  { method: 'PUT', path: '/v2/event/:id', handle: updateEvent },
  {
    method: 'DELETE',
    path: '/v2/event/:id',
    async handle({ data, id }) {
      const number = eventId(id);
      return changed(await data.deleteEvent(number), 200, () => idText(number));
    },
  },
];
