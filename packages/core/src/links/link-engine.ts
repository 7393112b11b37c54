import type { PlatformErrorCode } from '../errors.ts';
import type { DeviceRef } from '../model/connect-registry.ts';
import type { EntityId } from '../model/entities.ts';
import type { TelemetryService } from '../platform.ts';
import type { Clock, Scheduler } from '../ports/runtime.ts';
import type { AttributeScope, OwnerId } from '../ports/telemetry-store.ts';
import { platformCaller } from '../registry/authorize.ts';
import type { CommandRouter } from '../rpc/command-router.ts';
import type { RpcOutcome } from '../rpc/rpc-call.ts';
import { MAX_RPC_PARAMS } from '../rpc/rpc-service.ts';
import { DEFAULT_RPC_TIMEOUT_MS } from '../rpc/rpc-timeout.ts';
import type { StoredValuesObserver } from '../telemetry/observer-fan.ts';
import type { PointList } from '../values/point-list.ts';
import type { Value } from '../values/value.ts';
import { type Lineage, Lineages } from './lineages.ts';
import type { LinkOutcome, StoredLink } from './link.ts';
import type { LinkIndex } from './link-index.ts';
import { reportedKeys, type SentValue, sentValue } from './sent-value.ts';

/** Commands that may follow one original message, one behind the other. */
const MAX_HOPS = 4;
const LOG_INTERVAL_MS = 60_000;
const SWEEP_INTERVAL_MS = 10_000;

/** Bounds of the engine. */
export interface LinkEngineLimits {
  /** Values that wait to be sent, of all links together; further ones are refused. */
  readonly maxWaiting: number;
  /** Values sent in one turn of the event loop. */
  readonly maxSentPerTurn: number;
  /** Attributes on their way into the store; further ones are refused. */
  readonly maxWriting: number;
}

const DEFAULT_LIMITS: LinkEngineLimits = { maxWaiting: 50_000, maxSentPerTurn: 500, maxWriting: 10_000 };

export interface LinkEngineOptions {
  readonly links: Pick<LinkIndex, 'get' | 'ofSource'>;
  /** Asked for when something is sent: what sends is made after what is heard. */
  readonly router: () => Pick<CommandRouter, 'call'>;
  readonly telemetry: () => Pick<TelemetryService, 'saveAttributes'>;
  readonly deviceRef: (id: EntityId) => DeviceRef | undefined;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** A chain of links was stopped at its limit; told at most once a minute. */
  readonly stopped: (link: StoredLink) => void;
  /** Counts what became of a value, as `link_sent`. */
  readonly count: (event: string, amount: number) => void;
  readonly report: (error: unknown) => void;
  readonly limits?: Partial<LinkEngineLimits>;
}

/** A value on its way from a link to its target. */
interface Job {
  readonly link: StoredLink;
  readonly sent: SentValue;
  readonly lineage: Lineage;
}

/** The last value that a link was to send. */
export interface LinkResult {
  readonly outcome: LinkOutcome;
  /** Epoch milliseconds. */
  readonly time: number;
}

/**
 * Sends the values of devices on to other devices. api-additions.md, 3
 *
 * Values are heard when they are stored and sent after the turn of the event loop, in the order in which they came. A
 * report that follows a command of a link belongs to the same original message: no link fires twice for one of those, and
 * none after four commands in a row. Nothing waits for a device that is away: what was sent to it is lost, and said so,
 * except an attribute, which it may ask for when it is back.
 */
export class LinkEngine implements StoredValuesObserver {
  readonly #options: LinkEngineOptions;
  readonly #limits: LinkEngineLimits;
  readonly #lineages: Lineages;
  readonly #results = new Map<EntityId, LinkResult>();
  readonly #writes = new Set<Promise<void>>();
  #waiting: Job[] = [];
  #next = 0;
  #workScheduled = false;
  #stopSweep: () => void = () => {};
  #loggedAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: LinkEngineOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#lineages = new Lineages(options.clock);
  }

  start(): void {
    this.#stopSweep = this.#options.scheduler.every(SWEEP_INTERVAL_MS, () => this.#lineages.sweep());
  }

  /** Sends what waits and hears nothing more. Attributes are stored when it resolves. */
  async close(): Promise<void> {
    this.#stopSweep();
    this.#closed = true;
    while (this.#next < this.#waiting.length) this.#work();
    await Promise.all(this.#writes);
  }

  /** Whether telemetry of the device is to be told. */
  wants(deviceId: EntityId): boolean {
    return this.#options.links.ofSource(deviceId) !== undefined;
  }

  telemetryStored(owner: OwnerId, points: PointList): void {
    const links = this.#options.links.ofSource(owner);
    if (links !== undefined) this.#hear(owner, links, points, points.ts);
  }

  /** Of the scopes, only what the device says of itself. */
  attributesStored(owner: OwnerId, scope: AttributeScope, values: PointList): void {
    const links = scope === 'CLIENT' ? this.#options.links.ofSource(owner) : undefined;
    if (links !== undefined) this.#hear(owner, links, values, null);
  }

  attributesRemoved(): void {}

  resultOf(id: EntityId): LinkResult | undefined {
    return this.#results.get(id);
  }

  /** The link was deleted. */
  forget(id: EntityId): void {
    this.#results.delete(id);
  }

  /** What is kept in memory at present. */
  counters(): { readonly waiting: number; readonly writing: number; readonly lineages: number } {
    return {
      waiting: this.#waiting.length - this.#next,
      writing: this.#writes.size,
      lineages: this.#lineages.size,
    };
  }

  /** `times`: null where the values have none of their own, so that the last one counts. */
  #hear(
    owner: OwnerId,
    links: ReadonlyMap<string, readonly StoredLink[]>,
    points: PointList,
    times: readonly number[] | null,
  ): void {
    if (this.#closed) return;
    const last = new Map<string, number>();
    for (let i = 0; i < points.length; i++) {
      const key = points.keys[i];
      if (key === undefined || !links.has(key)) continue;
      const known = last.get(key);
      if (known === undefined || times === null || (times[i] ?? 0) >= (times[known] ?? 0)) last.set(key, i);
    }
    const original: Lineage = { fired: new Set(), hop: 0 };
    for (const [key, index] of last) {
      const kind = points.kinds[index];
      const value = points.values[index];
      if (kind === undefined || value === undefined) continue;
      const followed = this.#lineages.of(owner, key);
      const lineages = followed.length > 0 ? followed : [original];
      for (const link of links.get(key) ?? []) this.#consider(link, { kind, value }, lineages);
    }
  }

  #consider(link: StoredLink, value: Value, lineages: readonly Lineage[]): void {
    const sent = sentValue(link, value);
    if (sent === null) {
      this.#options.count('link_unmapped', 1);
      return;
    }
    // Answers come in the order of the commands, each to the oldest one that the link has not seen answered.
    const lineage = lineages.find(({ fired }) => !fired.has(link.id));
    lineage?.fired.add(link.id);
    if (lineage === undefined) {
      this.#options.count('link_repeat_suppressed', 1);
    } else if (lineage.hop >= MAX_HOPS) {
      this.#note(link, 'HOP_LIMIT');
      this.#tellStopped(link);
    } else if (this.#waiting.length - this.#next >= this.#limits.maxWaiting) {
      this.#note(link, 'TOO_MANY');
    } else {
      this.#waiting.push({ link, sent, lineage });
      this.#schedule();
    }
  }

  #tellStopped(link: StoredLink): void {
    const now = this.#options.clock.monotonic();
    if (now - this.#loggedAt < LOG_INTERVAL_MS) return;
    this.#loggedAt = now;
    this.#options.stopped(link);
  }

  #schedule(): void {
    if (this.#workScheduled) return;
    this.#workScheduled = true;
    this.#options.scheduler.endOfTurn(() => {
      this.#workScheduled = false;
      this.#work();
    });
  }

  /** One turn's share of what waits. */
  #work(): void {
    for (let sent = 0; sent < this.#limits.maxSentPerTurn; sent++) {
      const job = this.#waiting[this.#next];
      if (job === undefined) break;
      this.#next += 1;
      try {
        this.#send(job);
      } catch (error) {
        this.#note(job.link, 'FAILED');
        this.#options.report(error);
      }
    }
    if (this.#next < this.#waiting.length) {
      this.#schedule();
      return;
    }
    this.#waiting = [];
    this.#next = 0;
  }

  #send({ link, sent, lineage }: Job): void {
    // Saved anew, switched off or deleted since the value was heard.
    if (this.#options.links.get(link.id) !== link) return;
    const device = this.#options.deviceRef(link.target.deviceId);
    if (device === undefined) return;
    const { method, attribute } = link.target;
    const caused: Lineage = { fired: lineage.fired, hop: lineage.hop + 1 };
    if (attribute !== null) this.#write(link, device, attribute, sent.value, caused);
    else if (method !== null) this.#call(link, device, method, sent.params, caused);
  }

  #call(link: StoredLink, device: DeviceRef, method: string, params: string, caused: Lineage): void {
    if (params.length > MAX_RPC_PARAMS) {
      this.#note(link, 'INVALID');
      return;
    }
    // Before it is sent: the report may be here before the call returns.
    const takeBack = Array.from(reportedKeys(link.target, params), (key) =>
      this.#lineages.note(device.id, key, caused),
    );
    let atOnce = true;
    this.#options.router().call(
      {
        tenantId: device.tenantId,
        device,
        method,
        params,
        timeoutMs: DEFAULT_RPC_TIMEOUT_MS,
        oneway: true,
        waitForDevice: false,
      },
      (outcome) => {
        const result = outcomeOf(outcome);
        if (atOnce && result !== 'SENT') for (const undo of takeBack) undo();
        this.#note(link, result);
      },
    );
    atOnce = false;
  }

  #write(link: StoredLink, device: DeviceRef, attribute: string, value: Value | null, caused: Lineage): void {
    if (value === null || this.#writes.size >= this.#limits.maxWriting) {
      this.#note(link, value === null ? 'INVALID' : 'TOO_MANY');
      return;
    }
    this.#lineages.note(device.id, attribute, caused);
    const values = new Map([[attribute, value]]);
    const write = this.#options
      .telemetry()
      .saveAttributes(platformCaller(device.tenantId), device.id, 'SHARED', values)
      .then(
        (result) => this.#note(link, result.ok ? 'STORED' : refusalOf(result.code)),
        (error: unknown) => {
          this.#note(link, 'FAILED');
          this.#options.report(error);
        },
      )
      .finally(() => this.#writes.delete(write));
    this.#writes.add(write);
  }

  #note(link: StoredLink, outcome: LinkOutcome): void {
    this.#options.count(`link_${outcome.toLowerCase()}`, 1);
    // Deleted while it was being sent.
    if (this.#options.links.get(link.id) === undefined) return;
    this.#results.set(link.id, { outcome, time: this.#options.clock.now() });
  }
}

function outcomeOf(outcome: RpcOutcome): LinkOutcome {
  switch (outcome.kind) {
    case 'sent':
    case 'answer':
      return 'SENT';
    case 'routed':
      return outcome.receivers > 0 ? 'SENT' : 'OFFLINE';
    case 'notStored':
      return outcome.outcome === 'full' ? 'STORAGE_FULL' : 'FAILED';
    case 'tooLarge':
      return 'INVALID';
    case 'offline':
      return outcome.reason === 'notSubscribed' ? 'NOT_SUBSCRIBED' : 'OFFLINE';
    case 'notSupported':
      return 'NOT_SUPPORTED';
    case 'tooMany':
      return 'TOO_MANY';
    case 'timeout':
    case 'expired':
    case 'stopped':
      return 'FAILED';
    default:
      return outcome satisfies never;
  }
}

function refusalOf(code: PlatformErrorCode): LinkOutcome {
  if (code === 'storageFull') return 'STORAGE_FULL';
  return code === 'badRequest' ? 'INVALID' : 'FAILED';
}
