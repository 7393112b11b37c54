import { parseArgs } from 'node:util';

export const SCENARIOS = ['connect', 'idle', 'pub', 'fanin', 'fanout', 'pairs'] as const;
export type Scenario = (typeof SCENARIOS)[number];

/** What ends "under way" of a message: its last delivery, its acknowledgement, or nothing. */
export type Credit = 'e2e' | 'ack' | 'none';

/** What one run does; the names are those of the command line, of `mqttload.c` too. */
export interface LoadOptions {
  readonly scenario: Scenario;
  readonly host: string;
  readonly port: number;
  readonly level: 3 | 4 | 5;
  readonly pubs: number;
  readonly subs: number;
  readonly qos: 0 | 1 | 2;
  readonly subQos: 0 | 1 | 2;
  readonly window: number;
  readonly credit: Credit;
  /** Bytes of a binary payload. */
  readonly size: number;
  /** Template of a text payload; null: binary. */
  readonly payload: string | null;
  /** Messages a second of all publishers; 0: closed loop. */
  readonly rate: number;
  readonly retain: boolean;
  readonly pubTopic: string;
  readonly subFilter: string;
  readonly pubId: string;
  readonly subId: string;
  readonly user: string | null;
  readonly password: string | null;
  readonly subUser: string | null;
  readonly subPassword: string | null;
  readonly keepAlive: number;
  readonly keepSession: boolean;
  /** Connects under way. */
  readonly concurrency: number;
  /** Expected deliveries of a message. */
  readonly perMessage: number;
  /** Seconds. */
  readonly duration: number;
  readonly warmup: number;
  readonly drain: number;
  readonly brokerPids: readonly number[];
  readonly label: string;
}

const DEFAULTS: Readonly<Record<Scenario, { pubs: number; subs: number; topic: string; filter: string }>> = {
  connect: { pubs: 0, subs: 0, topic: 'none', filter: 'none' },
  idle: { pubs: 0, subs: 10_000, topic: 'none', filter: 'bench/idle/{i}/down' },
  pub: { pubs: 100, subs: 0, topic: 'bench/pub/{i}/data', filter: 'none' },
  fanin: { pubs: 100, subs: 1, topic: 'bench/in/{i}/data', filter: 'bench/in/+/data' },
  fanout: { pubs: 1, subs: 500, topic: 'bench/out/data', filter: 'bench/out/data' },
  pairs: { pubs: 200, subs: 200, topic: 'bench/pair/{i}/data', filter: 'bench/pair/{i}/data' },
};

/** Wrong use of the command line. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'usage';
}

/** Reads the command line. Throws `UsageError`. */
export function readOptions(args: readonly string[]): LoadOptions {
  const { values, positionals } = parse(args);
  const scenario = SCENARIOS.find((one) => one === positionals[0]);
  if (scenario === undefined) throw new UsageError(`the scenarios are ${SCENARIOS.join(', ')}`);
  const defaults = DEFAULTS[scenario];
  const number = (name: string, fallback: number): number => {
    const text = Reflect.get(values, name);
    const value = text === undefined ? fallback : Number(text);
    if (!Number.isFinite(value) || value < 0) throw new UsageError(`--${name} takes a number, not ${String(text)}`);
    return value;
  };
  const concurrency = number('concurrency', 100);
  const pairs = number('pubs', number('subs', defaults.pubs));
  const pubs = scenario === 'pairs' ? pairs : scenario === 'connect' ? concurrency : number('pubs', defaults.pubs);
  const subs = scenario === 'pairs' ? pairs : number('subs', defaults.subs);
  const publishes = scenario !== 'connect' && scenario !== 'idle';
  const qos = toQoS(number('qos', 0));
  const routed = scenario === 'pairs' ? 1 : scenario === 'fanin' || scenario === 'fanout' ? subs : 0;
  const payload = values.payload ?? null;
  const perMessage = payload === null ? number('expect', routed) : 0;
  const credit = values.credit ?? (perMessage > 0 ? 'e2e' : qos > 0 ? 'ack' : 'none');
  if (credit !== 'e2e' && credit !== 'ack' && credit !== 'none')
    throw new UsageError('--credit takes e2e, ack or none');
  if (credit === 'e2e' && perMessage === 0 && publishes) throw new UsageError('--credit e2e needs binary payloads');
  const level = number('mqtt', 4);
  if (level !== 3 && level !== 4 && level !== 5) throw new UsageError('--mqtt takes 3, 4 or 5');
  const pubTopic = values['pub-topic'] ?? defaults.topic;
  return {
    scenario,
    host: values.host ?? '127.0.0.1',
    port: number('port', 1883),
    level,
    pubs,
    subs,
    qos,
    subQos: toQoS(number('sub-qos', qos)),
    window: Math.max(1, number('window', 10)),
    credit,
    size: Math.max(16, number('size', 64)),
    payload,
    rate: number('rate', 0),
    retain: values.retain ?? false,
    pubTopic,
    subFilter: values['sub-filter'] ?? (values['pub-topic'] === undefined ? defaults.filter : pubTopic),
    pubId: values['pub-id'] ?? 'load-pub-{i}',
    subId: values['sub-id'] ?? 'load-sub-{i}',
    user: values.user ?? null,
    password: values.pass ?? null,
    subUser: values['sub-user'] ?? values.user ?? null,
    subPassword: values['sub-pass'] ?? values.pass ?? null,
    keepAlive: number('keepalive', 300),
    keepSession: values['keep-session'] ?? false,
    concurrency,
    perMessage,
    duration: number('duration', 5),
    warmup: number('warmup', 1),
    drain: number('drain', 2),
    brokerPids: (values['broker-pid'] ?? '').split(',').filter(Boolean).map(Number),
    label: values.label ?? '',
  };
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        host: { ...text, short: 'h' },
        port: { ...text, short: 'p' },
        mqtt: { ...text, short: 'V' },
        pubs: { ...text, short: 'n' },
        subs: { ...text, short: 'm' },
        qos: { ...text, short: 'q' },
        window: { ...text, short: 'w' },
        size: { ...text, short: 's' },
        'pub-topic': { ...text, short: 't' },
        'sub-filter': { ...text, short: 'f' },
        rate: { ...text, short: 'r' },
        duration: { ...text, short: 'd' },
        concurrency: { ...text, short: 'c' },
        'pub-id': text,
        'sub-id': text,
        user: text,
        pass: text,
        'sub-user': text,
        'sub-pass': text,
        keepalive: text,
        'keep-session': flag,
        'sub-qos': text,
        credit: text,
        payload: text,
        expect: text,
        retain: flag,
        warmup: text,
        drain: text,
        'broker-pid': text,
        label: text,
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function toQoS(value: number): 0 | 1 | 2 {
  if (value === 0 || value === 1 || value === 2) return value;
  throw new UsageError('--qos takes 0, 1 or 2');
}

/** `{i}` is the client's number, `{n}` the message's, `{r}` 0 to 999, `{ms}` epoch milliseconds. */
export function expand(template: string, client: number, message = 0): string {
  if (!template.includes('{')) return template;
  return template
    .replaceAll('{i}', String(client))
    .replaceAll('{n}', String(message))
    .replaceAll('{r}', () => String(Math.floor(Math.random() * 1_000)))
    .replaceAll('{ms}', String(Date.now()));
}
