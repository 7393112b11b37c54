import type { DeviceIntent, DeviceRef } from '@moorage/core';
import type { DeviceDesk, DeviceHttpAnswer, DeviceHttpRoute, Disposition } from '@moorage/dialect-api';
import { credentialOf } from './credentials.ts';
import type { DeviceTokens } from './device-tokens.ts';
import { type LinkDirectory, readSignedIdentity } from './directory.ts';
import { integerOf } from './json-text.ts';
import { AlibabaSession, type SessionTools } from './session.ts';
import type { LinkIdentity } from './signature.ts';

const AUTH_BODY_LIMIT = 4096;
/** Bytes. Section 1.10 */
const TOPIC_BODY_LIMIT = 131_072;
const MAXIMUM_MEMBERS = 32;
/** How far the clock of a device may be off. Section 1.10 */
const MAXIMUM_SKEW_MS = 15 * 60 * 1000;

/** Section 1.10 */
const ERRORS = {
  10000: 'common error',
  10001: 'param error',
  20000: 'auth check error',
  20001: 'token is expired',
  20002: 'token is null',
  20003: 'check token error',
  30001: 'publish message error',
  40000: 'request too many',
} as const;
type ChannelError = keyof typeof ERRORS;

export interface DataChannelOptions {
  readonly tools: SessionTools;
  readonly directory: LinkDirectory;
  readonly tokens: DeviceTokens;
  /** Answers what takes reading and writing; JSON text. */
  readonly ask: (device: DeviceRef, request: string, params: string) => Promise<string>;
}

function answer(code: 0 | ChannelError, info: string | null = null): DeviceHttpAnswer {
  const message = code === 0 ? 'success' : ERRORS[code];
  const body = `{"code":${code},"message":"${message}"${info === null ? '' : `,"info":${info}`}}`;
  return { status: 200, contentType: 'application/json', body };
}

/** Devices that post over HTTP: a token for a signature, and messages for a token. Section 1.10 */
export function dataChannelRoutes(options: DataChannelOptions): readonly DeviceHttpRoute[] {
  let last = 0;
  const nextMessageId = (): number => {
    last = Math.max(last + 1, options.tools.now() * 1000);
    return last;
  };
  return [
    {
      method: 'POST',
      path: '/auth',
      bodyLimit: AUTH_BODY_LIMIT,
      tooLarge: () => answer(10001),
      handle: ({ body, remoteAddress }, desk) => authenticate(options, body, remoteAddress, desk),
    },
    {
      method: 'POST',
      path: '/topic/*',
      bodyLimit: TOPIC_BODY_LIMIT,
      tooLarge: () => answer(10001),
      async handle({ parameters, headers, body, remoteAddress }, desk) {
        const token = headers?.password;
        if (typeof token !== 'string' || token === '') return answer(20002);
        const identity = options.tokens.checkNamed(token);
        if (identity === 'expired') return answer(20001);
        if (identity === 'bad') {
          await desk.refused(remoteAddress, 'token', 'The token of a request to /topic is not valid.');
          return answer(20003);
        }
        const device = credentialOf(identity, desk.credentials)?.device;
        if (!device) return answer(20003);
        const outcome = await publish(options, { device, identity }, `/${parameters['*'] ?? ''}`, body, desk);
        return outcome === 0 ? answer(0, `{"messageId":${nextMessageId()}}`) : answer(outcome);
      },
    },
  ];
}

async function authenticate(
  { tools, directory, tokens }: DataChannelOptions,
  body: Uint8Array,
  remoteAddress: string,
  desk: DeviceDesk,
): Promise<DeviceHttpAnswer> {
  const members = tools.reader.readMembers(body, desk, MAXIMUM_MEMBERS);
  const signed = typeof members === 'string' ? undefined : readSignedIdentity(members);
  if (signed === undefined) return answer(10001);
  const sent = signed.timestamp;
  if (sent !== undefined && Math.abs((integerOf(sent) ?? 0) - tools.now()) > MAXIMUM_SKEW_MS) return answer(20000);
  const token = directory.isSigned(signed) ? tokens.issueNamed(signed) : null;
  if (token !== null) return answer(0, `{"token":${JSON.stringify(token)}}`);
  const name = `${signed.deviceName}&${signed.productKey}`;
  await desk.refused(remoteAddress, name, `Wrong signature for ${signed.deviceName} of product ${signed.productKey}.`);
  return answer(20000);
}

/** As if it came over MQTT, but nobody is there to be answered. */
async function publish(
  { tools, ask }: DataChannelOptions,
  { device, identity }: { readonly device: DeviceRef; readonly identity: LinkIdentity },
  topicName: string,
  payload: Uint8Array,
  desk: DeviceDesk,
): Promise<0 | ChannelError> {
  const link = { level: 4, clientId: '', text: (bytes: Uint8Array) => desk.text(bytes) } as const;
  const session = new AlibabaSession(tools, device, identity, link, true);
  const receivedAt = desk.now();
  const disposition = session.publish({ topicName, payload, qos: 1, retain: false, properties: null, receivedAt });
  // Topics of the application are routed over MQTT alone.
  if (disposition.route || disposition.refuse !== null || disposition.close !== null) return 30001;
  if (isFault(disposition, session)) return 10001;
  const intents = disposition.intents.filter(isOfDevice);
  const outcome = await desk.submit(device, intents);
  if (outcome !== 'stored') return outcome === 'throttled' ? 40000 : 10000;
  for (const intent of intents) {
    if (intent.kind === 'dialectRequest') await ask(device, intent.request, intent.params);
  }
  return 0;
}

/** A message with a fault is owed nothing but its reply, which says so. */
function isFault({ intents, tell }: Disposition, session: AlibabaSession): boolean {
  return intents.length === 0 && tell !== undefined && session.isRefusal(tell);
}

function isOfDevice(intent: Disposition['intents'][number]): intent is DeviceIntent {
  return !['subDevice', 'subDeviceLeft', 'provision', 'rpcRequest'].includes(intent.kind);
}
