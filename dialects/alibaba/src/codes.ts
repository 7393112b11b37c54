import { type DeviceReply, ReasonCode, type Refusal } from '@moorage/dialect-api';
import type { HmacAlgorithm, LinkIdentity } from './signature.ts';

/** Longest part of a signed text that is shown. */
const SHOWN_CONTENT = 400;

/** Bars missing or not closed, an unknown mode or method. Section 1.5 */
export function badClientId(reason: string): Refusal {
  return { outcome: 'refused', returnCode: 2, reasonCode: ReasonCode.ClientIdentifierNotValid, reason };
}

/** Section 1.4 */
export function badKeepAlive(seconds: number): Refusal {
  const reason = `The keep-alive of ${seconds} s is shorter than 30 s.`;
  return { outcome: 'refused', returnCode: 2, reasonCode: ReasonCode.ImplementationSpecificError, reason };
}

/** User name or password of the wrong form, or a wrong secret. Section 1.5 */
export function badCredentials(reason: string): Refusal {
  return { outcome: 'refused', returnCode: 4, reasonCode: ReasonCode.BadUserNameOrPassword, reason };
}

/** Says what the server signed, so that it can be compared with what the device signs. */
export function wrongSignature(identity: LinkIdentity, algorithm: HmacAlgorithm, content: string): Refusal {
  const shown = content.length > SHOWN_CONTENT ? `${content.slice(0, SHOWN_CONTENT)}...` : content;
  return badCredentials(
    `Wrong signature for ${identity.deviceName} of product ${identity.productKey}. ` +
      `The server signed "${shown}" with HMAC-${algorithm.toUpperCase()} and the DeviceSecret of the device.`,
  );
}

/** Unknown products and devices, disabled ones, and those that wait for their secret. Section 1.5 */
export function notAuthorized(reason: string): Refusal {
  return { outcome: 'refused', returnCode: 5, reasonCode: ReasonCode.NotAuthorized, reason };
}

/** A registration is not possible here and now. Section 1.7 */
export function unavailable(reason: string): Refusal {
  return { outcome: 'refused', returnCode: 3, reasonCode: ReasonCode.ServerUnavailable, reason };
}

/** Codes of replies. Section 4.8 */
export const AlinkCode = {
  Success: 200,
  Throttled: 429,
  BadParameters: 460,
  Failed: 500,
  NoSubDevice: 520,
  CutOff: 521,
  SessionDisabled: 522,
  Displaced: 427,
  BadTopologySign: 401,
  TooManySubDevices: 428,
  UnknownDevice: 6100,
  DeviceDisabled: 6204,
  BadSubDeviceSign: 6287,
  RegistrationOff: 6288,
  AlreadyActive: 6289,
  TopologyFull: 6400,
  NoRelation: 6401,
  AddsItself: 6402,
  TooManyDesired: 6104,
  TooManyProperties: 6106,
  TooManyEvents: 6356,
  ParamsForm: 6301,
  NumberFormat: 6316,
  NoConfiguration: 6710,
} as const;
export type AlinkCode = (typeof AlinkCode)[keyof typeof AlinkCode];

const MESSAGES: Readonly<Record<AlinkCode, string>> = {
  200: 'success',
  429: 'too many requests',
  460: 'request parameter error',
  500: 'system error',
  427: 'logged in elsewhere',
  520: 'sub-device session missing',
  521: 'session closed by the server',
  522: 'sub-device disabled',
  401: 'topology sign check failed',
  428: 'too many sub-devices',
  6100: 'device not found',
  6204: 'device disabled',
  6287: 'sub-device sign check failed',
  6288: 'dynamic registration is off',
  6289: 'device already active',
  6400: 'topology full',
  6401: 'topology relation missing',
  6402: 'a gateway cannot add itself',
  6104: 'too many desired identifiers',
  6106: 'too many properties',
  6356: 'too many events',
  6301: 'params is not an object or array',
  6316: 'wrong number format',
  6710: 'no remote configuration',
};

export function alinkMessage(code: AlinkCode): string {
  return MESSAGES[code];
}

/** What a device is told of the effects of its message. */
export function outcomeCode(reply: DeviceReply): AlinkCode {
  if (reply.kind !== 'outcome') return AlinkCode.Failed;
  if (reply.outcome === 'stored') return AlinkCode.Success;
  return reply.outcome === 'refused' ? AlinkCode.Throttled : AlinkCode.Failed;
}
