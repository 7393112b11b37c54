import { createHmac } from 'node:crypto';
import type {
  CredentialLookup,
  DeviceAdmission,
  DeviceRef,
  Registry,
  RpcTimeoutRange,
  TelemetryService,
} from '@moorage/core';
import { AlibabaDialect, type LinkSecrets, linkSecretsOf, linkStoreOf } from '@moorage/dialect-alibaba';
import type { Dialect } from '@moorage/dialect-api';
import { PlainDialect } from '@moorage/dialect-plain';
import { ThingsboardDialect } from '@moorage/dialect-thingsboard';
import { WaveshareDialect } from '@moorage/dialect-waveshare';
import type { Configuration } from '../config/schema.ts';
import type { Runtime } from '../running-server.ts';
import { serverFiguresFor } from './broker-desk.ts';
import { createSensoro, type SensoroParts } from './sensoro.ts';

export interface DialectsOptions {
  readonly configuration: Configuration;
  readonly runtime: Runtime;
  readonly registry: Registry;
  /** Asked for after the start: the service is made later than the dialects. */
  readonly telemetry: () => TelemetryService;
  /** Makes devices that come unannounced; asked for after the start. */
  readonly admission: () => DeviceAdmission;
  /** What the SENSORO dialect asks of the rest of the server. */
  readonly sensoro?: SensoroParts;
  /** The ThingScale dialect of `createThingscale`; absent: it is not installed. */
  readonly thingscale?: Dialect;
}

/** The key that some dialect knows for this identity of TLS-PSK; null: none does. */
export function preSharedKey(
  dialects: readonly Dialect[],
  identity: string,
  registry: CredentialLookup,
): Uint8Array | null {
  for (const dialect of dialects) {
    const key = dialect.preSharedKey?.(identity, registry);
    if (key !== undefined) return key;
  }
  return null;
}

/** How long a call may take by the protocol of the device; null: it does not say. */
export function rpcTimeoutRange(
  dialects: readonly Dialect[],
  device: DeviceRef,
  method: string,
  registry: CredentialLookup,
): RpcTimeoutRange | null {
  for (const dialect of dialects) {
    const range = dialect.rpcTimeoutRange?.(device, method, registry) ?? null;
    if (range !== null) return range;
  }
  return null;
}

/** In the order of recognition.md, section 3; the one with anonymous access comes last. */
export function createDialects({
  configuration,
  runtime,
  registry,
  telemetry,
  admission,
  sensoro = {},
  thingscale,
}: DialectsOptions): readonly Dialect[] {
  const { alibaba, plain, waveshare } = configuration;
  const now = (): number => runtime.clock.now();
  const store = () => linkStoreOf(telemetry());
  // One for the whole server: it lets the requests of a device wait for each other.
  let secrets: LinkSecrets | null = null;
  return [
    new ThingsboardDialect({ now }),
    new AlibabaDialect({
      hmac: (algorithm, key, text) => createHmac(algorithm, key).update(text).digest('hex'),
      now,
      store,
      secrets: () => {
        secrets ??= linkSecretsOf(registry.devices, store(), admission);
        return secrets;
      },
      registerWithoutTls: alibaba.registerWithoutTls,
      sessionGraceSeconds: alibaba.sessionGraceMinutes * 60,
      mqttEndpoint: () => ({ host: configuration.publicHost, port: configuration.mqtt.port }),
      downloadBase: () =>
        configuration.publicHost === null ? null : `http://${configuration.publicHost}:${configuration.http.port}`,
    }),
    createSensoro({ ...sensoro, configuration, runtime, registry, telemetry }),
    ...(thingscale === undefined ? [] : [thingscale]),
    new WaveshareDialect({ credentials: registry.credentials, now, sampleResource: waveshare.sampleResource }),
    new PlainDialect({
      anonymous: plain.anonymous,
      anonymousTenantId: registry.defaultTenant.id,
      denySubscribe: plain.denySubscribe,
      serverFigures: serverFiguresFor(registry),
      randomBytes: (length) => runtime.crypto.randomBytes(length),
    }),
  ];
}
