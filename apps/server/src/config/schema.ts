import { type Static, type TSchema, Type } from 'typebox';

/** Marks of a setting besides JSON Schema: how it is shown, and the flag of the command line that sets it. */
export interface SettingMarks {
  readonly description: string;
  /** Never shown, and accepted from a file named by the environment (`..._FILE`). */
  readonly secret?: true;
  /** Each entry must be a Topic Filter. MQTT 5.0, 4.7.1 */
  readonly topicFilters?: true;
  /** What a text is, or the entries of a list, in words, where a pattern says it to machines alone. */
  readonly entries?: string;
  /** As commander writes it: `--mqtt-port <port>`. */
  readonly flag?: string;
}

const group = <T extends Record<string, TSchema>>(properties: T) =>
  Type.Object(properties, { additionalProperties: false });
const port = (number: number, marks: SettingMarks) =>
  Type.Integer({ minimum: 0, maximum: 65_535, default: number, ...marks });
const count = (minimum: number, maximum: number, number: number, description: string) =>
  Type.Integer({ minimum, maximum, default: number, description });
const oneOf = <const T extends string>(values: readonly T[], fallback: T, marks: SettingMarks) =>
  Type.Enum(values, { default: fallback, ...marks });
const orNull = <T extends TSchema>(schema: T, marks: SettingMarks) =>
  Type.Union([schema, Type.Null()], { default: null, ...marks });
/** A listener that is opened by itself: a number, `off`, or null for its usual port. */
const usualPort = (marks: SettingMarks) =>
  Type.Union([Type.Integer({ minimum: 0, maximum: 65_535 }), Type.Enum(['off']), Type.Null()], {
    default: null,
    ...marks,
  });
const pinnedPorts = (subject: string) =>
  Type.Array(Type.String({ pattern: '^\\d{1,5}=[a-z][a-z0-9-]{0,31}$' }), {
    maxItems: 16,
    default: [],
    entries: 'entries `port=dialect`',
    description: `Further ports of ${subject}, each for the devices of one dialect alone, as in \`18830=thingsboard\`.`,
  });
const rateLimit = (subject: string) =>
  orNull(Type.String({ pattern: '^\\d{1,9}:\\d{1,9}(,\\d{1,9}:\\d{1,9}){0,9}$', entries: 'pairs `count:seconds`' }), {
    description: `${subject}, as \`count:seconds\` pairs that all hold, as in \`20:1,600:60\`. Without it: no limit.`,
  });
const perSecond = (subject: string) =>
  orNull(Type.Integer({ minimum: 1, maximum: 1_000_000_000 }), {
    description: `${subject} in a second. Who is over it is not read until it is paid for; nothing is dropped. Without it: no limit.`,
  });
const rateLimits = (subject: string) =>
  group({
    messages: rateLimit(`Messages other than telemetry from ${subject}`),
    telemetryMessages: rateLimit(`Messages with telemetry or attributes from ${subject}`),
    telemetryDataPoints: rateLimit(`Values in messages from ${subject}`),
  });

/** Every setting of the server with its default. Names of the limits are those of the broker. */
export const configurationSchema = group({
  dataDir: Type.String({
    minLength: 1,
    default: './moorage-data',
    description: 'Folder of everything that is kept. Created with mode 0700; one server at a time.',
    flag: '--data-dir <folder>',
  }),
  host: orNull(Type.String({ minLength: 1 }), {
    description:
      'Address that all ports listen on. Without it: 127.0.0.1 until an administrator has a password, all addresses from then on.',
    flag: '--host <address>',
  }),
  publicHost: orNull(Type.String({ minLength: 1 }), {
    description: 'Host name under which devices and browsers reach this server, for the addresses that are shown.',
  }),
  adminEmail: Type.String({
    pattern: '^[^\\s@<>"]+@[^\\s@<>"]+$',
    maxLength: 254,
    default: 'admin@moorage.local',
    description: 'E-mail address of the first administrator. Used together with `adminPassword`.',
  }),
  adminPassword: orNull(Type.String({ minLength: 8, maxLength: 256 }), {
    description:
      'Password of the first administrator, who administers the tenant `default`. Opens the ports to the network unless `host` says otherwise.',
    secret: true,
  }),
  sysadminEmail: Type.String({
    pattern: '^[^\\s@<>"]+@[^\\s@<>"]+$',
    maxLength: 254,
    default: 'sysadmin@moorage.local',
    description: 'E-mail address of the system administrator, who manages tenants and sees nothing of theirs.',
  }),
  sysadminPassword: orNull(Type.String({ minLength: 8, maxLength: 256 }), {
    description: 'Password of the system administrator. Without it there is none.',
    secret: true,
  }),
  audit: group({
    keepDays: count(1, 3_650, 90, 'Days that lines of the audit log are kept.'),
    maxLines: count(1_000, 100_000_000, 1_000_000, 'Lines of the audit log beyond which the oldest are removed.'),
  }),
  mqtt: group({
    port: port(1883, {
      description:
        'Port of MQTT over TCP; 0 picks a free one. Once there is a certificate it takes TLS too, told by the first byte.',
      flag: '--mqtt-port <port>',
    }),
    pinnedPorts: pinnedPorts('MQTT over TCP'),
    serverKeepAlive: orNull(Type.Integer({ minimum: 1, maximum: 65_535 }), {
      description: 'Seconds. Told to MQTT 5.0 clients that ask for a longer Keep Alive or for none.',
    }),
    flapping: oneOf(['off', 'on'], 'off', {
      description:
        'Refuse a client that has connected more than 15 times within a minute from one address, for a minute. Devices that connect for every message need it off.',
    }),
    sysTopics: oneOf(['on', 'off'], 'on', {
      description:
        'Tell figures of the server below `$SYS/broker/` to applications that may subscribe to them. Built only while somebody does.',
    }),
    limits: group({
      connections: count(1, 10_000_000, 200_000, 'Connections at once; more are closed before anything is read.'),
      connectPacketSize: count(64, 268_435_460, 65_536, 'Bytes of a packet before CONNECT is accepted.'),
      connectTimeoutMs: count(100, 600_000, 10_000, 'Milliseconds from the opening of a connection to its CONNECT.'),
      clientIdBytes: count(23, 65_535, 1_024, 'Bytes of a Client Identifier.'),
      topicBytes: count(16, 65_535, 4_096, 'Bytes of a Topic Name or Topic Filter.'),
      topicLevels: count(4, 65_536, 128, 'Levels of a Topic Name or Topic Filter.'),
      userProperties: count(0, 10_000, 64, 'User Properties in one packet.'),
      topicFilters: count(1, 100_000, 1_000, 'Topic Filters in one SUBSCRIBE or UNSUBSCRIBE.'),
      outboundInFlight: count(1, 65_535, 2_048, 'Unfinished QoS 1 and 2 messages towards one client.'),
      slowReaderBytes: count(
        4_096,
        1_073_741_824,
        1_048_576,
        'Bytes that wait for a slow reader before QoS 0 messages to it are dropped.',
      ),
      noProgressTimeoutMs: count(
        1_000,
        3_600_000,
        60_000,
        'Milliseconds after which a reader that takes nothing is closed.',
      ),
      queuedBytesHighWater: count(
        1_048_576,
        1_099_511_627_776,
        268_435_456,
        'Bytes queued in memory over all Sessions at which publishers are no longer read.',
      ),
      rates: group({
        connectsPerSecond: perSecond('CONNECTs of one listener'),
        clientMessagesPerSecond: perSecond('PUBLISH packets of one client'),
        clientBytesPerSecond: perSecond('Bytes of all packets of one client'),
        listenerMessagesPerSecond: perSecond('PUBLISH packets of all clients of one listener together'),
        listenerBytesPerSecond: perSecond('Bytes of all packets of all clients of one listener together'),
      }),
    }),
  }),
  mqtts: group({
    port: usualPort({
      description:
        'Port of MQTT over TLS. Without it: 8883 as soon as there is a certificate, or any free port where `mqtt.port` is 0.',
      flag: '--mqtts-port <port>',
    }),
    pinnedPorts: pinnedPorts('MQTT over TLS'),
  }),
  ws: group({
    port: usualPort({
      description:
        'Port of MQTT over WebSocket, on any path. Without it: 8083, or any free port where `mqtt.port` is 0.',
      flag: '--ws-port <port>',
    }),
    pinnedPorts: pinnedPorts('MQTT over WebSocket'),
  }),
  wss: group({
    port: usualPort({
      description:
        'Port of MQTT over secure WebSocket, on any path. Without it: 8084 as soon as there is a certificate, or any free port where `mqtt.port` is 0.',
      flag: '--wss-port <port>',
    }),
    pinnedPorts: pinnedPorts('MQTT over secure WebSocket'),
  }),
  combined: group({
    port: orNull(Type.Integer({ minimum: 0, maximum: 65_535 }), {
      description:
        'Port of HTTPS, MQTT over secure WebSocket and MQTT over TLS together, usually 443. Without it: none is opened.',
    }),
  }),
  tls: group({
    certificate: orNull(Type.String({ minLength: 1, maxLength: 4096 }), {
      description:
        'File with the certificate of the server and the chain behind it, in PEM. A change of the file is taken over within a minute, or at once on SIGHUP.',
      flag: '--cert <file>',
    }),
    key: orNull(Type.String({ minLength: 1, maxLength: 4096 }), {
      description: 'File with the private key that belongs to the certificate, in PEM.',
      flag: '--key <file>',
    }),
    clientCa: orNull(Type.String({ minLength: 1, maxLength: 4096 }), {
      description:
        'File with the authorities that issue client certificates and those between, in PEM. With it, a certificate of anybody else is refused in the handshake. Without it, the certificates of the registered devices decide.',
    }),
    pinnedServerNames: Type.Array(
      Type.String({ pattern: '^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?=[a-z][a-z0-9-]{0,31}$' }),
      {
        maxItems: 100,
        default: [],
        entries: 'entries `host.name=dialect`',
        description:
          'TLS server names that are for the devices of one dialect alone, as in `tb.example.org=thingsboard`. The pin of a port goes before.',
      },
    ),
  }),
  coap: group({
    port: usualPort({
      description:
        'Port of CoAP over UDP for devices. Without it: 5683, or any free port where `mqtt.port` is 0. There is no DTLS.',
      flag: '--coap-port <port>',
    }),
  }),
  http: group({
    port: port(8080, { description: 'Port of HTTP; 0 picks a free one.', flag: '--http-port <port>' }),
    trustedProxies: Type.Array(Type.String({ pattern: '^[0-9A-Fa-f.:]{2,45}(/\\d{1,3})?$' }), {
      maxItems: 100,
      default: [],
      entries: 'addresses, or networks as in `10.0.0.0/8`',
      description:
        'Proxies in front of this server whose `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host` are believed.',
    }),
  }),
  plain: group({
    anonymous: Type.Boolean({
      default: false,
      description:
        'Accept a CONNECT without credentials as a client of the tenant `default` with all topics. Refused unless every port is bound to loopback or `plain.anonymousAnywhere` is set.',
    }),
    anonymousAnywhere: Type.Boolean({
      default: false,
      description: 'Allow `plain.anonymous` on ports that the network can reach.',
    }),
    denySubscribe: Type.Array(Type.String({ minLength: 1, maxLength: 4096 }), {
      maxItems: 100,
      default: [],
      description: 'Topic Filters that anonymous clients may not subscribe to. In the environment separated by commas.',
      topicFilters: true,
    }),
  }),
  alibaba: group({
    sessionGraceMinutes: count(
      0,
      1_440,
      0,
      'Minutes in which a device with `_ss=1` and clean session 1 that lost its connection finds its subscriptions again; 0: none.',
    ),
    registerWithoutTls: Type.Boolean({
      default: false,
      description:
        'Tell devices that register over MQTT their secret or token without TLS too, as where a proxy in front of this server ends it.',
    }),
  }),
  waveshare: group({
    sampleResource: Type.Boolean({
      default: false,
      description:
        'Offer `/api/sample-test/`, where the HTTP examples for modems read and write one text. Without sign-in: whoever reaches the port may change it.',
    }),
  }),
  sensoro: group({
    nonceWindowMs: count(
      0,
      31_536_000_000,
      900_000,
      'Milliseconds that the time in a request to the SENSORO open API may differ from the clock of the server; 0: any.',
    ),
  }),
  device: group({
    inactivityTimeoutMs: count(
      1_000,
      31_536_000_000,
      600_000,
      'Milliseconds of silence after which a device is inactive, unless its own attribute `inactivityTimeout` says otherwise.',
    ),
    claim: group({
      allowedByDefault: Type.Boolean({
        default: true,
        description:
          'Any device without a customer may be claimed. Otherwise only one with the server attribute `claimingAllowed`.',
      }),
      duration: count(
        1_000,
        31_536_000_000,
        86_400_000,
        'Milliseconds in which a device may be claimed, unless it says itself how long.',
      ),
    }),
    rpc: group({
      strategy: oneOf(['BURST', 'SEQUENTIAL_ON_ACK', 'SEQUENTIAL_ON_RESPONSE'], 'BURST', {
        description:
          'How persistent RPCs that wait are sent: all at once, each after the PUBACK of the last one, or each after its answer.',
      }),
      keepDays: count(1, 3_650, 7, 'Days that a finished persistent RPC is kept.'),
    }),
    limits: rateLimits('one device'),
  }),
  gateway: group({
    maximumDevices: count(1, 1_000_000, 10_000, 'Devices connected behind one gateway at once.'),
    limits: rateLimits('the connection of one gateway'),
    deviceLimits: rateLimits('one device behind a gateway'),
  }),
  webhooks: group({
    allowPrivateAddresses: Type.Boolean({
      default: false,
      description:
        'Let webhooks reach this machine and private networks. Whoever administers a tenant can then make the server ask addresses inside. Link-local addresses stay out of reach.',
    }),
  }),
  ota: group({
    maximumFileSize: count(
      1_024,
      10_737_418_240,
      52_428_800,
      'Bytes of a file of firmware or software that may be uploaded.',
    ),
  }),
  storage: group({
    durability: oneOf(['full', 'normal'], 'full', {
      description:
        '`full`: acknowledged means synced to disk. `normal`: survives a crash of the process, may lose the last moments at power loss.',
    }),
    commitIntervalMs: count(
      0,
      1_000,
      2,
      'Shortest time in milliseconds between two commits. 0: the next begins when the last has ended. More spares SD cards and delays acknowledgements.',
    ),
    ballastMiB: count(0, 65_536, 64, 'Space held back so that a full disk can be cleared; 0: none.'),
    maxSeriesPerDevice: count(1, 1_000_000, 2_000, 'Different telemetry keys that one device may have.'),
    retentionDays: count(1, 36_500, 90, 'Days that telemetry is kept.'),
  }),
  log: group({
    level: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'info', {
      description: 'Least severe lines that are written to stderr.',
    }),
  }),
});

/** The whole configuration, checked, with defaults filled in. */
export type Configuration = Static<typeof configurationSchema>;
