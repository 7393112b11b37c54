import type { DeviceHttpAnswer } from '@moorage/dialect-api';
import type { AccountData, ThingscaleChannel } from '../data/account-data.ts';
import { isTag } from '../text/names.ts';
import { formatTime } from '../text/times.ts';
import { changed, error, json } from './answers.ts';
import { BodyReader, bodyMembers } from './body-members.ts';
import { headerOf, nameHeader } from './headers.ts';
import type { RestCall, RestEntry } from './rest-route.ts';
import { EVER } from './stream-points.ts';

/** Tags whose newest point is looked for in one answer; further ones show that of their channel. */
const MAXIMUM_LOOKUPS = 1000;

/** The number that a path names; undefined: there is no channel of this number. */
export function channelNumber(id: string | undefined): number | undefined {
  return id !== undefined && /^\d{1,4}$/.test(id) ? Number(id) : undefined;
}

/** The tag of a request. `bad`: no tag can be called so. */
export function tagOf({ request, desk }: RestCall): string | null | 'bad' {
  const tag = nameHeader(request, desk, 'x-tagname');
  if (tag === undefined) return null;
  return isTag(tag) ? tag : 'bad';
}

function rowText(channel: ThingscaleChannel, tag: string | null, lastUpdate: number | null, zone: string): string {
  return JSON.stringify({
    channel: channel.number,
    tag,
    channel_name: channel.name,
    last_update: lastUpdate === null ? null : formatTime(lastUpdate, zone),
  });
}

async function lastUpdateOf(data: AccountData, channel: number, tag: string): Promise<number | null> {
  const [newest] = await data.points({ channel, tag, ...EVER, limit: 1, latest: true });
  return newest?.at ?? null;
}

/** One row for each channel, with tags one more for each of them. thingscale.md, 2.4 */
async function rows(channels: readonly ThingscaleChannel[], { request, data }: RestCall): Promise<string> {
  const zone = data.settings.timezone;
  const withTags = headerOf(request, 'x-withtag')?.toLowerCase() === 'true';
  const texts: string[] = [];
  let lookups = 0;
  for (const channel of channels) {
    texts.push(rowText(channel, null, channel.lastUpdate, zone));
    for (const tag of withTags ? channel.tags : []) {
      const isLookedFor = lookups++ < MAXIMUM_LOOKUPS;
      const at = isLookedFor ? await lastUpdateOf(data, channel.number, tag) : channel.lastUpdate;
      texts.push(rowText(channel, tag, at, zone));
    }
  }
  return `[${texts.join(',')}]`;
}

/** The record of a channel or of a tag of it, as it is after a change. */
function oneText({ data }: RestCall, number: number, tag: string | null): string {
  const channel = data.channel(number);
  if (channel === undefined) return '[]';
  return `[${rowText(channel, tag, tag === null ? channel.lastUpdate : null, data.settings.timezone)}]`;
}

async function renameChannel(call: RestCall): Promise<DeviceHttpAnswer> {
  const number = channelNumber(call.id);
  const members = bodyMembers(call.request.body, call.desk);
  const name = members === undefined ? undefined : new BodyReader(members).text('channel_name');
  if (name === undefined) return error('BAD_JSON_FORMAT');
  if (number === undefined) return error('NO_CHANNEL');
  return changed(await call.data.renameChannel(number, name), 200, () => oneText(call, number, null));
}

/** The channel service. thingscale.md, 2.4 and 4.8 */
export const CHANNEL_ROUTES: readonly RestEntry[] = [
  {
    method: 'GET',
    path: '/v2/channel',
    handle: async (call) => json(200, await rows(call.data.channels(), call)),
  },
  {
    method: 'GET',
    path: '/v2/channel/:id',
    async handle(call) {
      const number = channelNumber(call.id);
      const channel = number === undefined ? undefined : call.data.channel(number);
      return channel === undefined ? error('NO_CHANNEL') : json(200, await rows([channel], call));
    },
  },
  {
    method: 'POST',
    path: '/v2/channel/:id',
    async handle(call) {
      const number = channelNumber(call.id);
      const tag = tagOf(call);
      if (number === undefined) return error('NO_CHANNEL');
      if (tag === 'bad') return error('BAD_JSON_FORMAT');
      return changed(await call.data.createChannel(number, tag), 201, () => oneText(call, number, tag));
    },
  },
  { method: 'PUT', path: '/v2/channel/:id', handle: renameChannel },
  {
    method: 'DELETE',
    path: '/v2/channel/:id',
    async handle(call) {
      const number = channelNumber(call.id);
      const tag = tagOf(call);
      if (number === undefined) return error('NO_CHANNEL');
      if (tag === 'bad') return error('BAD_JSON_FORMAT');
      const removed = oneText(call, number, tag);
      return changed(await call.data.deleteChannel(number, tag), 200, () => removed);
    },
  },
];
