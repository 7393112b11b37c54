import {
  type Attribute,
  type Clock,
  type ConnectCredential,
  type CredentialLookup,
  DEFAULT_PROFILE_SETTINGS,
  type DeviceIntent,
  type DeviceRef,
  type OtaDownload,
  type OtaPackageType,
  type OtaUnavailable,
  type ProvisionOutcome,
  type ProvisionRequest,
  type Scheduler,
} from '@moorage/core';
import type { DeviceCommand, DeviceDesk, Listening, ListeningEnd, SubmitOutcome } from '@moorage/dialect-api';

export const TOKEN = 'A1B2C3D4E5F6G7H8I9J0';

export const DEVICE: DeviceRef = {
  id: '5a8a8d3e-0000-4000-8000-000000000001',
  tenantId: '5a8a8d3e-0000-4000-8000-000000000002',
  name: 'boiler',
  profileId: '5a8a8d3e-0000-4000-8000-000000000003',
  gateway: false,
  settings: DEFAULT_PROFILE_SETTINGS,
};

interface FakeListener extends Listening {
  readonly deviceId: string;
  readonly kinds: readonly DeviceCommand['kind'][];
  readonly take: (command: DeviceCommand, delivered: (arrived: boolean) => void) => boolean;
  readonly ended: (why: ListeningEnd) => void;
}

function accessToken(token: string, device: DeviceRef): ConnectCredential {
  const none = { application: null, clientId: null, password: null };
  return { credentialsType: 'ACCESS_TOKEN', device, username: token, ...none };
}

/** A desk that notes what it is asked and answers what a test says. */
export class FakeDesk implements DeviceDesk {
  readonly time: Pick<Clock, 'now'> & Pick<Scheduler, 'after'>;
  readonly submitted: DeviceIntent[][] = [];
  readonly refusals: { readonly address: string; readonly name: string }[] = [];
  readonly provisioned: ProvisionRequest[] = [];
  readonly calls: { readonly method: string; readonly params: string }[] = [];
  readonly listeners = new Set<FakeListener>();
  readonly deliveries: boolean[] = [];
  client: readonly Attribute[] = [];
  shared: readonly Attribute[] = [];
  outcome: SubmitOutcome = 'stored';
  provisioning: ProvisionOutcome | 'full' | 'failed' = { status: 'FAILURE', reason: 'not set' };
  packages: Partial<Record<OtaPackageType, OtaDownload | OtaUnavailable>> = {};
  /** Called when somebody begins to listen. */
  heard: () => void = () => undefined;
  readonly #holders = new Map<string, { readonly dialect: string; readonly credentials: readonly ConnectCredential[] }>(
    [
      [TOKEN, { dialect: 'thingsboard', credentials: [accessToken(TOKEN, DEVICE)] }],
      ['a plain name', { dialect: 'plain', credentials: [accessToken('a plain name', DEVICE)] }],
      [
        'a basic name',
        {
          dialect: 'thingsboard',
          credentials: [{ ...accessToken('a basic name', DEVICE), credentialsType: 'MQTT_BASIC', password: 'p' }],
        },
      ],
    ],
  );

  readonly credentials: CredentialLookup = {
    byUsername: (name) => this.#holders.get(name),
    byClientId: () => undefined,
    byCertificate: () => undefined,
    hasCertificateProfile: () => false,
    deviceOfChain: async () => ({ outcome: 'failed' }),
  };

  constructor(time: Pick<Clock, 'now'> & Pick<Scheduler, 'after'>) {
    this.time = time;
  }

  addDevice(token: string, device: DeviceRef): void {
    this.#holders.set(token, { dialect: 'thingsboard', credentials: [accessToken(token, device)] });
  }

  now(): number {
    return this.time.now();
  }

  text(payload: Uint8Array): string | undefined {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload);
    } catch {
      return undefined;
    }
  }

  async refused(address: string, name: string): Promise<void> {
    this.refusals.push({ address, name });
  }

  async submit(_device: DeviceRef, intents: readonly DeviceIntent[]): Promise<SubmitOutcome> {
    this.submitted.push([...intents]);
    return this.outcome;
  }

  async attributes(
    _device: DeviceRef,
    clientKeys: readonly string[] | 'all' | null,
    sharedKeys: readonly string[] | 'all' | null,
  ): Promise<{ readonly client: readonly Attribute[]; readonly shared: readonly Attribute[] }> {
    const wanted = (attributes: readonly Attribute[], keys: readonly string[] | 'all' | null) =>
      attributes.filter(({ key }) => keys === 'all' || (keys ?? []).includes(key));
    return { client: wanted(this.client, clientKeys), shared: wanted(this.shared, sharedKeys) };
  }

  listen(
    device: DeviceRef,
    kinds: readonly DeviceCommand['kind'][],
    take: FakeListener['take'],
    ended: FakeListener['ended'],
  ): Listening {
    const listener: FakeListener = {
      deviceId: device.id,
      kinds,
      take,
      ended,
      close: () => void this.listeners.delete(listener),
    };
    this.listeners.add(listener);
    this.heard();
    return listener;
  }

  /** Gives a command to the first who takes it; whether it arrived is noted in `deliveries`. */
  command(command: DeviceCommand): boolean {
    for (const { kinds, take } of [...this.listeners]) {
      if (kinds.includes(command.kind) && take(command, (arrived) => void this.deliveries.push(arrived))) return true;
    }
    return false;
  }

  end(why: ListeningEnd): void {
    for (const listener of [...this.listeners]) {
      listener.close();
      listener.ended(why);
    }
  }

  async clientRpc(_device: DeviceRef, method: string, params: string): Promise<string> {
    this.calls.push({ method, params });
    return `{"called":${JSON.stringify(method)}}`;
  }

  async provision(request: ProvisionRequest): Promise<ProvisionOutcome | 'full' | 'failed'> {
    this.provisioned.push(request);
    return this.provisioning;
  }

  async download(_device: DeviceRef, type: OtaPackageType): Promise<OtaDownload | OtaUnavailable> {
    return this.packages[type] ?? 'notFound';
  }

  after(delayMs: number, task: () => void): () => void {
    return this.time.after(delayMs, task);
  }
}

export interface FakePackage extends OtaDownload {
  readonly file: Uint8Array;
  closed: number;
  readonly reads: number[];
}

/** A package whose file is a sequence of bytes that repeats late. */
export function fakePackage(size: number, changes: Partial<OtaDownload> = {}): FakePackage {
  const file = Uint8Array.from({ length: size }, (_, index) => (index * 7 + (index >> 8)) & 0xff);
  const fake: FakePackage = {
    packageId: '5a8a8d3e-0000-4000-8000-000000000009',
    title: 'blinker',
    version: '1.0',
    fileName: 'blinker-1.0.bin',
    contentType: 'application/x-firmware',
    size,
    file,
    closed: 0,
    reads: [],
    read: async (offset, length) => {
      fake.reads.push(offset);
      return file.subarray(offset, offset + length);
    },
    close: () => {
      fake.closed++;
    },
    ...changes,
  };
  return fake;
}
