import type { DeviceHttpAnswer } from '@moorage/dialect-api';
import type { StreamPoint, ThingscaleChannel } from '../data/account-data.ts';
import { objectText } from '../text/json-parts.ts';
import { formatTime, parseTime } from '../text/times.ts';
import { error, json } from './answers.ts';
import { channelNumber, tagOf } from './channel-routes.ts';
import { headerOf } from './headers.ts';
import { writtenPoints } from './points-body.ts';
import type { HttpSide, RestCall, RestEntry } from './rest-route.ts';
import { AGGREGATIONS, type Aggregation, aggregateOf, newestOf, pointsOf } from './stream-points.ts';

/** Bytes: a bulk write. */
const BULK_LIMIT = 1_048_576;
const DAY_MS = 86_400_000;
const MAXIMUM_PAGE = 1000;

interface Query {
  readonly channel: ThingscaleChannel;
  readonly tag: string | undefined;
  /** null: the newest points. */
  readonly range: { readonly from: number; readonly to: number } | null;
  readonly pageLimit: number;
  readonly descending: boolean;
  readonly aggregation: Aggregation | null;
}

/** 1 to 1,000; undefined: it is no number. */
function pageLimitOf(text: string | undefined): number | undefined {
  if (text === undefined) return 1;
  return /^\d{1,15}$/.test(text) ? Math.min(Math.max(Number(text), 1), MAXIMUM_PAGE) : undefined;
}

/** undefined: an aggregation that there is not. */
function aggregationOf(text: string | undefined): Aggregation | null | undefined {
  return text === undefined ? null : AGGREGATIONS.find((one) => one === text.toLowerCase());
}

/** undefined: a time that is none, or no end. In aggregate mode `last` is now. thingscale.md, 2.4 and 4.8 */
function rangeOf({ request, data }: RestCall, aggregates: boolean, now: number): Query['range'] | undefined {
  const zone = data.settings.timezone;
  const end = headerOf(request, 'x-endtime');
  const isLast = end?.toLowerCase() === 'last';
  if (isLast && !aggregates) return null;
  const to = end === undefined || isLast ? undefined : parseTime(end, zone, 'end');
  if (to === undefined && !isLast) return undefined;
  const until = to ?? now;
  const start = headerOf(request, 'x-starttime');
  const from = start === undefined ? until - DAY_MS : parseTime(start, zone, 'start');
  return from === undefined ? undefined : { from, to: until };
}

function queryOf(call: RestCall, now: number): Query | DeviceHttpAnswer {
  const { request, data, id } = call;
  const number = channelNumber(id);
  const channel = number === undefined ? undefined : data.channel(number);
  if (channel === undefined) return error('NO_CHANNEL');
  const aggregation = aggregationOf(headerOf(request, 'x-aggregate'));
  const pageLimit = pageLimitOf(headerOf(request, 'x-pagelimit'));
  const tag = tagOf(call);
  if (aggregation === undefined || pageLimit === undefined || tag === 'bad') return error('BAD_JSON_FORMAT');
  const range = rangeOf(call, aggregation !== null, now);
  if (range === undefined) return error('BAD_TIME_FORMAT');
  const descending = headerOf(request, 'x-pagesort')?.toLowerCase() === 'desc';
  return { channel, tag: tag ?? undefined, range, pageLimit, descending, aggregation };
}

/** The members that all answers about a channel begin with. */
function headText({ number, name, lastUpdate }: ThingscaleChannel, zone: string): string {
  const updated = lastUpdate === null ? null : formatTime(lastUpdate, zone);
  return `"channel":${number},"channel_name":${JSON.stringify(name)},"last_update":${JSON.stringify(updated)}`;
}

function pointText({ id, tag, value, at }: StreamPoint, zone: string): string {
  const shown = JSON.stringify(formatTime(at, zone));
  return `{"_id":${JSON.stringify(id)},"tag":${JSON.stringify(tag)},"value":${value},"at":${shown}}`;
}

async function readStream(call: RestCall, now: number): Promise<DeviceHttpAnswer> {
  const query = queryOf(call, now);
  if ('status' in query) return query;
  const { data } = call;
  const zone = data.settings.timezone;
  const of = { channel: query.channel.number, tag: query.tag };
  const head = headText(query.channel, zone);
  if (query.aggregation !== null && query.range !== null) {
    const values = await aggregateOf(data, { ...of, ...query.range }, query.aggregation);
    if (values === null) return error('RANGE_TOO_LARGE');
    const texts =
      values === 'empty' ? null : new Map([...values].map(([name, value]) => [name, JSON.stringify(value)]));
    const result = texts === null ? '[]' : `[{"_id":null,"value":${objectText(texts)}}]`;
    return json(200, `{${head},"aggr_type":"${query.aggregation}","result":${result}}`);
  }
  const points =
    query.range === null ? await newestOf(data, of, query.pageLimit) : await pointsOf(data, { ...of, ...query.range });
  if (points === null) return error('RANGE_TOO_LARGE');
  const ordered = query.descending ? points.toReversed() : points;
  return json(200, `{${head},"stream":[${ordered.map((point) => pointText(point, zone)).join(',')}]}`);
}

async function writeStream(call: RestCall, now: number): Promise<DeviceHttpAnswer> {
  const number = channelNumber(call.id);
  const tag = tagOf(call);
  if (number === undefined || call.data.channel(number) === undefined) return error('NO_CHANNEL');
  const points =
    tag === 'bad'
      ? 'BAD_JSON_FORMAT'
      : writtenPoints(call.request.body, call.desk, { tag, at: now, zone: call.data.settings.timezone });
  if (typeof points === 'string') return error(points);
  const outcome = await call.data.write(number, points);
  return outcome === 'done' ? json(201, `{"result":"OK","count":${points.length}}`) : error(outcome);
}

/** The stream service. thingscale.md, 2.4 and 4.8 */
export function streamRoutes(server: HttpSide): readonly RestEntry[] {
  return [
    { method: 'GET', path: '/v2/stream/:id', handle: (call) => readStream(call, server.now()) },
    {
      method: 'POST',
      path: '/v2/stream/:id',
      bodyLimit: BULK_LIMIT,
      handle: (call) => writeStream(call, server.now()),
    },
  ];
}
