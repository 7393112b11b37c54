import { createCipheriv, createHmac } from 'node:crypto';
import {
  type AttributeScope,
  type DeviceRef,
  type EntityId,
  formatValues,
  platformCaller,
  type Registry,
  type Result,
  type RpcService,
  type TelemetryService,
  type WebhookKind,
} from '@moorage/core';
import { SensoroDialect, type SensoroPlatform, sensoroWebhookKind } from '@moorage/dialect-sensoro';
import type { Configuration } from '../config/schema.ts';
import type { Runtime } from '../running-server.ts';
import { trustedProxies } from './trusted-proxies.ts';

/** What the rest of the server does for the dialect; asked for after the start, since it is made later. */
export interface SensoroParts {
  /** Absent: devices that take commands by RPC alone are not commanded. */
  readonly rpc?: () => Pick<RpcService, 'call'>;
  readonly connectionsOf?: (
    applicationId: EntityId,
  ) => readonly { readonly handle: { readonly clientId: string } | null }[];
  readonly count?: (event: string, amount: number) => void;
  readonly report?: (error: unknown) => void;
}

export interface SensoroOptions extends SensoroParts {
  readonly configuration: Configuration;
  readonly runtime: Runtime;
  readonly registry: Registry;
  readonly telemetry: () => TelemetryService;
}

/** Devices that are looked at in one turn of the event loop. */
const SLICE = 5_000;
const WEEK_MS = 604_800_000;

const hmacSha256Base64 = (key: string, text: string | Uint8Array): string =>
  createHmac('sha256', key).update(text).digest('base64');

function aes256Cbc(key: Uint8Array, iv: Uint8Array, bytes: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-cbc', key, iv).setAutoPadding(false);
  return Buffer.concat([cipher.update(bytes), cipher.final()]);
}

const normaliseUrl = (url: string): string | null => (URL.canParse(url) ? new URL(url).href : null);

/** How pushes of SENSORO applications are sent. */
export function sensoroWebhooks(registry: Pick<Registry, 'credentials'>): WebhookKind {
  return sensoroWebhookKind({ credentials: registry.credentials, hmacSha256Base64, normaliseUrl });
}

export function createSensoro(options: SensoroOptions): SensoroDialect {
  const { configuration, runtime, connectionsOf, count = () => {}, report = () => {} } = options;
  const { publicHost, http, sensoro } = configuration;
  const now = () => runtime.clock.now();
  return new SensoroDialect({
    now,
    hmacSha256Base64,
    aes256Cbc,
    randomBytes: (length) => runtime.crypto.randomBytes(length),
    platform: sensoroPlatform(options),
    normaliseUrl,
    publicNames: publicHost === null ? [] : [publicHost, `${publicHost}:${http.port}`],
    nonceWindowMs: sensoro.nonceWindowMs,
    trustedProxy: trustedProxies(http.trustedProxies),
    connectionsOf: (applicationId, exceptClientId) =>
      connectionsOf?.(applicationId).filter(({ handle }) => handle?.clientId !== exceptClientId).length ?? 0,
    count,
    fault: report,
    // Above those of the last run, if there were fewer than one in a second.
    firstTask: Math.floor(now() / 1000),
  });
}

/** The platform as a user of the device's tenant would see it, so that everybody who listens is told. */
function sensoroPlatform({ runtime, registry, telemetry, rpc }: SensoroOptions): SensoroPlatform {
  const attributes = async (id: EntityId, scope: AttributeScope, keys: readonly string[] | null) => {
    const device = registry.deviceRef(id);
    if (device === undefined) return [];
    return granted(await telemetry().attributes(platformCaller(device.tenantId), id, scope, keys)) ?? [];
  };
  return {
    async *devices(tenantId) {
      let seen = 0;
      for (const id of registry.deviceIds()) {
        const device = registry.deviceRef(id);
        if (device?.tenantId === tenantId) yield device;
        if (++seen % SLICE === 0) await new Promise<void>((resolve) => runtime.scheduler.endOfTurn(resolve));
      }
    },
    device: (id) => registry.deviceRef(id),
    attributes,
    async isActive(id) {
      const [active] = await attributes(id, 'SERVER', ['active']);
      return active?.value === true;
    },
    async latest({ id, tenantId }) {
      const latest = granted(await telemetry().latest(platformCaller(tenantId), id, null)) ?? new Map();
      return new Map([...latest].flatMap(([key, point]) => (point === null ? [] : [[key, point] as const])));
    },
    async history({ id, tenantId }, { keys, from, to, order, limit }) {
      const query = { keys, startTs: from, endTs: to + 1, intervalMs: 0, limit, aggregate: null, order };
      return granted(await telemetry().range(platformCaller(tenantId), id, query)) ?? new Map();
    },
    async command(device, values) {
      const { id, tenantId } = device;
      if (registry.credentials.ofDevice?.(id)?.credentialsType === 'PLAIN') return callRpc(device, values);
      const saved = await telemetry().saveAttributes(platformCaller(tenantId), id, 'SHARED', values);
      return saved.ok ? 'taken' : 'failed';
    },
    uplink({ id, tenantId }, points, completion) {
      completion.hold();
      telemetry()
        .save(platformCaller(tenantId), id, points)
        .then(
          (saved) => completion.release(saved.ok ? 'stored' : 'failed'),
          () => completion.release('failed'),
        );
    },
  };

  /** Kept until the device listens: the dialect `plain` has no topic for shared attributes. */
  async function callRpc(device: DeviceRef, values: Parameters<SensoroPlatform['command']>[1]) {
    if (rpc === undefined) return 'notSupported';
    const reply = await rpc().call(platformCaller(device.tenantId), device.id, {
      method: 'setAttributes',
      params: formatValues(values),
      oneway: true,
      timeoutMs: null,
      expirationTime: runtime.clock.now() + WEEK_MS,
      persistent: true,
      retries: null,
      additionalInfo: null,
      requestId: null,
    });
    return reply.ok ? 'taken' : 'failed';
  }
}

/** undefined: the device is gone. Everything else that fails is a fault of the server. */
function granted<T>(result: Result<T>): T | undefined {
  if (result.ok) return result.value;
  if (result.code === 'notFound') return undefined;
  throw new Error(`the platform refused: ${result.message}`);
}
