import { readFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { WebSocket } from 'ws';
import { ApiClient } from '../test/harness/api-client.ts';
import { MoorageProcess } from '../test/harness/moorage-process.ts';
import { buildLoadGenerator, load, median } from './load-generator.ts';

/**
 * The server API under load, each case as one JSON line: `npm run bench:api -- [latest|chart|live|lists|dashboards|removal]`. The
 * server has core 0, everything else shares core 1.
 */
interface Bench {
  readonly server: MoorageProcess;
  readonly api: ApiClient;
  readonly token: string;
}

async function startServer(): Promise<Bench> {
  const server = new MoorageProcess({ wrapper: ['taskset', '-c', '0'] });
  await server.start();
  const api = new ApiClient(server);
  const login = await api.login();
  return { server, api, token: login.body.token };
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(2));
}

const KEYS = Array.from({ length: 10 }, (_, index) => `k${index}`);
const PAYLOAD = `{${KEYS.map((key) => `"${key}":{r}.5`).join(',')}}`;

/** 20,000 points a second from 200 devices: 2,000 messages of 10 keys. */
function ingest({ server }: Bench, seconds: number) {
  return load([
    ...['pub', '-q', '1', '-n', '200', '-w', '10', '-r', '2000', '-p', String(server.mqttPort)],
    ...['--broker-pid', String(server.pid), '--user', 'API-{i}', '--pub-id', 'api-{i}'],
    ...['-t', 'v1/devices/me/telemetry', '--payload', PAYLOAD, '-d', String(seconds)],
  ]);
}

/** GETs on a few keep-alive connections, written by hand so that the client costs little; times from due to answered. */
async function getLatest({ server, token }: Bench, ids: readonly string[], perSecond: number, seconds: number) {
  const times: number[] = [];
  const failed: string[] = [];
  const connections = 8;
  const begin = performance.now() + 50;
  await Promise.all(
    Array.from({ length: connections }, async (_, lane) => {
      const socket = connectTcp({ port: server.httpPort, host: '127.0.0.1', noDelay: true });
      let answered: (text: string) => void = () => {};
      let text = '';
      socket.setEncoding('latin1');
      socket.on('data', (chunk: string) => {
        text += chunk;
        const head = text.indexOf('\r\n\r\n');
        if (head < 0) return;
        const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
        if (text.length < head + 4 + length) return;
        const whole = text;
        text = '';
        answered(whole);
      });
      for (let count = lane; count < perSecond * seconds; count += connections) {
        const due = begin + (count * 1_000) / perSecond;
        while (performance.now() < due) await new Promise((resolve) => setTimeout(resolve, 1));
        const id = ids[count % ids.length];
        const answer = new Promise<string>((resolve) => {
          answered = resolve;
        });
        socket.write(
          `GET /api/plugins/telemetry/DEVICE/${id}/values/timeseries?keys=${KEYS.join(',')} HTTP/1.1\r\nHost: x\r\nX-Authorization: Bearer ${token}\r\n\r\n`,
        );
        const body = await answer;
        if (!body.startsWith('HTTP/1.1 200')) failed.push(body.slice(0, 40));
        times.push(performance.now() - due);
      }
      socket.destroy();
    }),
  );
  return { times, failed };
}

/** CPU time of a process so far, in microseconds; Linux counts hundredths of a second. */
function cpuUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

/**
 * Latest values of 10 keys, 2,000 reads a second, while 20,000 points a second come in: after a second of reads that is not
 * measured, since the first ones wait for the compiler. The CPU of a message is compared with that of messages alone, once
 * the CPU that the same reads take by themselves is taken off.
 */
async function latest(): Promise<Record<string, unknown>> {
  buildLoadGenerator();
  const bench = await startServer();
  const { pid } = bench.server;
  const seconds = 5;
  const messages = 2_000 * seconds;
  try {
    const ids: string[] = [];
    for (let index = 0; index < 200; index++) ids.push(await bench.api.createDevice(`api ${index}`, `API-${index}`));
    const cold = await Promise.all([ingest(bench, 3), getLatest(bench, ids, 2_000, 2)]);
    const alone: number[] = [];
    const reading: number[] = [];
    const meanwhile: number[] = [];
    const times: number[] = [];
    let failed = cold[1].failed.length;
    for (let round = 0; round < 3; round++) {
      const start = cpuUs(pid);
      await ingest(bench, seconds);
      const ingested = cpuUs(pid);
      await getLatest(bench, ids, 2_000, seconds);
      const read = cpuUs(pid);
      const [, reads] = await Promise.all([ingest(bench, seconds), getLatest(bench, ids, 2_000, seconds)]);
      alone.push((ingested - start) / messages);
      reading.push((read - ingested) / messages);
      meanwhile.push((cpuUs(pid) - read) / messages);
      times.push(...reads.times);
      failed += reads.failed.length;
    }
    const [message, read, both] = [median(alone), median(reading), median(meanwhile)];
    return {
      case: 'latest',
      readsPerSecond: 2_000,
      pointsPerSecond: 20_000,
      p50Ms: percentile(times, 0.5),
      p99Ms: percentile(times, 0.99),
      coldP99Ms: percentile(cold[1].times, 0.99),
      failed,
      cpuUsPerMessage: Math.round(message),
      cpuUsPerRead: Math.round(read),
      cpuUsOfBoth: Math.round(both),
      riseOfMessages: Number(((both - read) / message - 1).toFixed(2)),
    };
  } finally {
    await bench.server.dispose();
  }
}

/** 30 days of one value a minute, thinned to 1,000 points. */
async function chart(): Promise<Record<string, unknown>> {
  const bench = await startServer();
  const { api } = bench;
  try {
    const id = await api.createDevice('chart', 'CHART-1');
    const end = Date.now();
    const start = end - 30 * 86_400_000;
    const points = Array.from({ length: 43_200 }, (_, index) => ({
      ts: start + index * 60_000,
      values: { t: Math.sin(index / 300) * 10 + (index % 7) / 10 },
    }));
    for (let from = 0; from < points.length; from += 5_000) {
      const answer = await api.call(
        'POST',
        `/api/plugins/telemetry/DEVICE/${id}/timeseries/ANY`,
        points.slice(from, from + 5_000),
      );
      if (answer.status !== 200) throw new Error(answer.text);
    }
    const times: number[] = [];
    let count = 0;
    for (let round = 0; round < 50; round++) {
      const begin = performance.now();
      const answer = await api.call(
        'GET',
        `/api/plugins/telemetry/DEVICE/${id}/values/timeseries?keys=t&startTs=${start}&endTs=${end}&maxPoints=1000&useStrictDataTypes=true`,
      );
      times.push(performance.now() - begin);
      count = answer.body.t.length;
    }
    return {
      case: 'chart',
      stored: points.length,
      points: count,
      firstMs: Number((times[0] ?? Number.NaN).toFixed(1)),
      p50Ms: percentile(times.slice(1), 0.5),
      p99Ms: percentile(times.slice(1), 0.99),
    };
  } finally {
    await bench.server.dispose();
  }
}

/** From the device's PUBLISH to the frame of a browser, 5,000 messages a second over 50 devices. */
async function live(): Promise<Record<string, unknown>> {
  const bench = await startServer();
  const { server, api, token } = bench;
  try {
    const devices = 50;
    const perSecond = 5_000;
    const seconds = 5;
    const ids: string[] = [];
    for (let index = 0; index < devices; index++) ids.push(await api.createDevice(`live ${index}`, `LIVE-${index}`));
    const sent: number[] = [];
    const times: number[] = [];
    const browser = new WebSocket(`ws://127.0.0.1:${server.httpPort}/api/ws?token=${token}`);
    await new Promise((resolve) => browser.once('open', resolve));
    let subscribed = 0;
    browser.on('message', (data) => {
      const now = performance.now();
      const { data: values } = JSON.parse(String(data));
      if (values?.n === undefined) {
        subscribed++;
        return;
      }
      for (const [, number] of values.n) times.push(now - (sent[Number(number)] ?? now));
    });
    for (let from = 0; from < devices; from += 10) {
      const cmds = ids.slice(from, from + 10).map((entityId, offset) => ({
        type: 'TIMESERIES',
        cmdId: from + offset + 1,
        entityType: 'DEVICE',
        entityId,
        scope: 'LATEST_TELEMETRY',
        keys: 'n',
      }));
      browser.send(JSON.stringify({ cmds }));
    }
    while (subscribed < devices) await new Promise((resolve) => setTimeout(resolve, 10));
    const sockets = await Promise.all(
      ids.map(async (_, index) => {
        const socket = connectTcp({ port: server.mqttPort, host: '127.0.0.1', noDelay: true });
        const user = Buffer.from(`LIVE-${index}`);
        const body = Buffer.concat([
          Buffer.from([0, 4, 77, 81, 84, 84, 4, 0x82, 0, 0, 0, user.length]),
          user,
          Buffer.from([0, user.length]),
          user,
        ]);
        socket.write(Buffer.concat([Buffer.from([0x10, body.length]), body]));
        await new Promise((resolve) => socket.once('data', resolve));
        socket.on('data', () => {});
        return socket;
      }),
    );
    const topic = Buffer.from('v1/devices/me/telemetry');
    const begin = performance.now();
    for (let number = 0; number < perSecond * seconds; number++) {
      const due = begin + (number * 1_000) / perSecond;
      if (performance.now() < due) await new Promise((resolve) => setTimeout(resolve, 1));
      const payload = Buffer.from(`{"n":${number}}`);
      const length = 2 + topic.length + payload.length;
      sent[number] = performance.now();
      sockets[number % devices]?.write(Buffer.concat([Buffer.from([0x30, length, 0, topic.length]), topic, payload]));
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    for (const socket of sockets) socket.destroy();
    browser.close();
    return {
      case: 'live',
      perSecond,
      sent: sent.length,
      // Updates of one key may be merged for a browser that is behind.
      seen: times.length,
      p50Ms: percentile(times, 0.5),
      p99Ms: percentile(times, 0.99),
    };
  } finally {
    await server.dispose();
  }
}

/** Pages of 100,000 devices with text search. */
async function lists(): Promise<Record<string, unknown>> {
  const bench = await startServer();
  const { api } = bench;
  try {
    const total = Number(process.env.BENCH_DEVICES ?? 100_000);
    const begin = performance.now();
    for (let from = 0; from < total; from += 10_000) {
      const lines = Array.from(
        { length: 10_000 },
        (_, index) => `device ${from + index},label ${(from + index) % 997}`,
      );
      const answer = await api.call('POST', '/api/device/bulk_import', {
        file: `name,label\n${lines.join('\n')}\n`,
        mapping: { columns: [{ type: 'NAME' }, { type: 'LABEL' }], delimiter: ',', update: true, header: true },
      });
      if (answer.body?.created !== 10_000) throw new Error(answer.text.slice(0, 300));
    }
    const importSeconds = (performance.now() - begin) / 1_000;
    const measure = (query: string) => pages(api, '/api/tenant/deviceInfos', query);
    return {
      case: 'lists',
      devices: total,
      importSeconds: Number(importSeconds.toFixed(1)),
      firstPage: await measure('page=0&sortProperty=name'),
      textSearch: await measure('page=0&textSearch=label%20#&sortProperty=name'),
      rareSearch: await measure('page=0&textSearch=device%209999&sortProperty=createdTime&sortOrder=DESC'),
    };
  } finally {
    await bench.server.dispose();
  }
}

/** Times of 40 pages of a list; `#` in the query is another number each time. */
async function pages(api: ApiClient, path: string, query: string) {
  const times: number[] = [];
  for (let round = 0; round < 40; round++) {
    const started = performance.now();
    const answer = await api.call('GET', `${path}?pageSize=20&${query.replace('#', String(round * 13))}`);
    if (answer.status !== 200) throw new Error(answer.text);
    times.push(performance.now() - started);
  }
  return { p50Ms: percentile(times, 0.5), p99Ms: percentile(times, 0.99) };
}

/** Pages of 100,000 dashboards, each assigned to a customer of its own, with text search. */
async function dashboards(): Promise<Record<string, unknown>> {
  const bench = await startServer();
  const { api } = bench;
  try {
    const total = Number(process.env.BENCH_DASHBOARDS ?? 100_000);
    const begin = performance.now();
    let next = 0;
    let last = '';
    const make = async (): Promise<void> => {
      for (let index = next++; index < total; index = next++) {
        const customer = await api.call('POST', '/api/customer', { title: `customer ${index}` });
        const dashboard = await api.call('POST', '/api/dashboard', {
          title: `dashboard ${index}, floor ${index % 997}`,
          configuration: { widgets: {} },
        });
        const { id } = customer.body.id;
        const assigned = await api.call('POST', `/api/customer/${id}/dashboard/${dashboard.body.id.id}`);
        if (assigned.status !== 200) throw new Error(assigned.text);
        last = id;
      }
    };
    await Promise.all(Array.from({ length: 32 }, make));
    const setUpSeconds = (performance.now() - begin) / 1_000;
    return {
      case: 'dashboards',
      dashboards: total,
      setUpSeconds: Number(setUpSeconds.toFixed(1)),
      firstPage: await pages(api, '/api/tenant/dashboards', 'page=0&sortProperty=title'),
      textSearch: await pages(api, '/api/tenant/dashboards', 'page=0&textSearch=floor%20#&sortProperty=title'),
      rareSearch: await pages(
        api,
        '/api/tenant/dashboards',
        'page=0&textSearch=dashboard%209999&sortProperty=createdTime',
      ),
      ofCustomer: await pages(api, `/api/customer/${last}/dashboards`, 'page=0'),
    };
  } finally {
    await bench.server.dispose();
  }
}

/** Deleting a device with many points: the answer, and that the data is gone also after `kill -9`. */
async function removal(): Promise<Record<string, unknown>> {
  const bench = await startServer();
  const { server, api } = bench;
  try {
    const total = Number(process.env.BENCH_POINTS ?? 10_000_000);
    const id = await api.createDevice('large', 'LARGE-1');
    const kept = await api.createDevice('kept', 'KEPT-1');
    await api.call('POST', `/api/plugins/telemetry/DEVICE/${kept}/timeseries/ANY`, { a: 1 });
    const batch = 5_000;
    for (let from = 0; from < total / 10; from += batch) {
      const body = Array.from({ length: batch }, (_, index) => ({
        ts: 1_600_000_000_000 + (from + index) * 1_000,
        values: Object.fromEntries(KEYS.map((key, k) => [key, from + index + k])),
      }));
      const answer = await api.call('POST', `/api/plugins/telemetry/DEVICE/${id}/timeseries/ANY`, body);
      if (answer.status !== 200) throw new Error(answer.text);
    }
    const begin = performance.now();
    const answer = await api.call('DELETE', `/api/device/${id}`);
    const answeredMs = performance.now() - begin;
    if (answer.status !== 200) throw new Error(answer.text);
    await server.kill();
    await server.start();
    await api.login();
    const restarted = performance.now();
    let points = Number.POSITIVE_INFINITY;
    while (points > 10 && performance.now() - restarted < 120_000) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      const metrics = await (await fetch(`${server.baseUrl}/metrics`)).text();
      points = Number(/moorage_telemetry_store\{figure="points"\} (\S+)/.exec(metrics)?.[1] ?? Number.NaN);
    }
    const left = await api.call('GET', `/api/plugins/telemetry/DEVICE/${kept}/values/timeseries`);
    return {
      case: 'removal',
      points: total,
      answeredMs: Number(answeredMs.toFixed(1)),
      goneAfterKillMs: Math.round(performance.now() - restarted),
      pointsLeft: points,
      otherDeviceKept: left.body?.a !== undefined,
    };
  } finally {
    await server.dispose();
  }
}

const cases = { latest, chart, live, lists, dashboards, removal };
const wanted = process.argv.slice(2);
for (const [name, run] of Object.entries(cases)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(JSON.stringify(await run()));
}
