import type { DeviceHttpAnswer, DeviceHttpRoute } from '@moorage/dialect-api';
import { encodeText } from '@moorage/dialect-api';
import { REGISTRATION_ERRORS, type RegistrationError, register, registrationData } from './registration.ts';
import type { LinkSecrets } from './secrets.ts';
import type { Hmac } from './signature.ts';

/** Bytes; the bodies of this API are a few hundred. */
const BODY_LIMIT = 4096;

/** Errors that who guesses at secrets or names would see. */
const GUESSES: readonly RegistrationError[] = [6100, 6250, 6600];

/** Always 200: the code stands in the body. Compact, since a library takes it apart by hand. Section 1.7 */
export function answer(body: string): DeviceHttpAnswer {
  return { status: 200, contentType: 'application/json', body };
}

function refused(error: RegistrationError): DeviceHttpAnswer {
  return answer(JSON.stringify({ code: error, message: REGISTRATION_ERRORS[error] }));
}

/** Fields of a form; the last of equal names. undefined: it is malformed. */
export function formFields(text: string): ReadonlyMap<string, string> | undefined {
  try {
    return new Map(
      text.split('&').map((field) => {
        const [name = '', ...value] = field.split('=');
        return [decoded(name), decoded(value.join('='))] as const;
      }),
    );
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

function decoded(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}

/** Registration. Section 1.7 */
export function registrationRoutes(hmac: Hmac, secrets: () => LinkSecrets): readonly DeviceHttpRoute[] {
  return [
    {
      method: 'POST',
      path: '/auth/register/device',
      bodyLimit: BODY_LIMIT,
      tooLarge: () => refused(460),
      async handle({ body, remoteAddress }, desk) {
        const text = desk.text(body);
        const fields = text === undefined ? undefined : formFields(text);
        if (fields === undefined) return refused(460);
        const identity = {
          productKey: fields.get('productKey') ?? '',
          deviceName: fields.get('deviceName') ?? '',
        };
        const sign = fields.get('sign');
        const request = {
          identity,
          random: fields.get('random') ?? '',
          sign: sign === undefined ? null : encodeText(sign),
          signMethod: fields.get('signMethod') ?? '',
        };
        const outcome = await register(request, desk.credentials, hmac, secrets());
        if (outcome.outcome === 'registered') {
          return answer(`{"code":200,"data":${registrationData(identity, outcome.secret)},"message":"success"}`);
        }
        const { error } = outcome;
        const name = `${identity.deviceName}&${identity.productKey}`;
        if (GUESSES.includes(error))
          await desk.refused(remoteAddress, name, `Registration: ${REGISTRATION_ERRORS[error]}.`);
        return refused(error);
      },
    },
  ];
}
