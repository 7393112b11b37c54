import { refuse, success } from '../../errors.ts';
import { randomText } from '../random-text.ts';
import { hasControlCharacters } from '../text-rules.ts';
import type { CredentialReader, CredentialRequest } from './credential-form.ts';
import { parseValue, textMember } from './value-text.ts';

/** Member of the value that proves who a device is; null while it waits for its registration. */
export const ALIBABA_SECRET = 'deviceSecret';

/** Member with the text that a device shows as its password, as it is. alibaba-link.md, 1.7 */
const ALIBABA_TOKEN = 'deviceToken';

const GENERATED_NAME_LENGTH = 20;
const GENERATED_SECRET_LENGTH = 32;
const GENERATED_TOKEN_LENGTH = 32;
const MAX_SECRET_LENGTH = 64;
const MAX_TOKEN_LENGTH = 256;
/** As issued 11 characters; device libraries have room for 20. alibaba-link.md, 1.1 */
const PRODUCT_KEY = /^[A-Za-z0-9]{1,20}$/;
const DEVICE_NAME = /^[A-Za-z0-9_@.:-]{4,32}$/;

/** Whether a text can name a product. alibaba-link.md, 1.1 */
export function isProductKey(text: string): boolean {
  return PRODUCT_KEY.test(text);
}

/** Why a secret of a device or product cannot be kept, as the end of a sentence; null: it can. */
export function linkSecretProblem(secret: string, maximum = MAX_SECRET_LENGTH): string | null {
  if (secret === '' || secret.length > maximum) return `is not 1 to ${maximum} characters long`;
  return hasControlCharacters(secret) || !secret.isWellFormed() ? 'has characters that no device can keep' : null;
}

/**
 * ALIBABA: the value is `{"productKey","deviceName","deviceSecret"}` as JSON text; the id, and the name shown at CONNECT,
 * is `deviceName&productKey`. Both names may be left to the id. A secret that is left out is drawn; null: the device
 * gets it by dynamic registration. `deviceToken`: the device logs in with it in place of a signature; drawn if it is left out
 * and `registered` (the device made itself known, and is told its token) is true. `enabled` false: the device is refused.
 * api-additions.md, 1; alibaba-link.md, 1.7
 */
export const readAlibaba: CredentialReader = (request, crypto) => {
  const value = parseValue(request.credentialsValue ?? '{}');
  if (value === undefined) return refuse('invalidArguments', 'The value of ALIBABA credentials is not a JSON object');
  const idParts = partsOfId(request);
  const namedKey = textMember(value, 'productKey');
  const namedDevice = textMember(value, 'deviceName');
  const secret = textMember(value, ALIBABA_SECRET);
  const token = textMember(value, ALIBABA_TOKEN);
  if (namedKey === undefined || namedDevice === undefined || secret === undefined || token === undefined) {
    return refuse('invalidArguments', 'Members of ALIBABA credentials are texts');
  }
  const enabled = value.enabled ?? true;
  const registered = value.registered ?? false;
  if (typeof enabled !== 'boolean' || typeof registered !== 'boolean') {
    return refuse('invalidArguments', 'enabled and registered of ALIBABA credentials are true or false');
  }
  const productKey = namedKey ?? idParts?.productKey ?? '';
  if (!isProductKey(productKey)) {
    return refuse('invalidArguments', 'The productKey is not 1 to 20 letters and digits');
  }
  const given = namedDevice ?? idParts?.deviceName ?? null;
  const deviceName = given ?? randomText(crypto, GENERATED_NAME_LENGTH);
  if (!DEVICE_NAME.test(deviceName)) {
    return refuse('invalidArguments', 'The deviceName is not 4 to 32 letters, digits and characters of _@.:-');
  }
  const problem = secret === null ? null : linkSecretProblem(secret);
  if (problem !== null) return refuse('invalidArguments', `The deviceSecret ${problem}`);
  const tokenProblem = token === null ? null : linkSecretProblem(token, MAX_TOKEN_LENGTH);
  if (tokenProblem !== null) return refuse('invalidArguments', `The deviceToken ${tokenProblem}`);
  const deviceToken = token ?? (registered ? randomText(crypto, GENERATED_TOKEN_LENGTH) : null);
  // Who has a token waits for nothing.
  const waits = secret === null && deviceToken === null && Object.hasOwn(value, ALIBABA_SECRET);
  const deviceSecret = waits ? null : (secret ?? randomText(crypto, GENERATED_SECRET_LENGTH));
  const username = `${deviceName}&${productKey}`;
  const credentials = {
    productKey,
    deviceName,
    deviceSecret,
    ...(deviceToken === null ? {} : { deviceToken }),
    ...(registered ? { registered } : {}),
    ...(enabled ? {} : { enabled }),
  };
  return success({
    credentialsType: 'ALIBABA',
    credentialsId: username,
    credentialsValue: JSON.stringify(credentials),
    username,
    clientId: null,
    generated: given === null,
  });
};

function partsOfId({ credentialsId }: CredentialRequest): { deviceName: string; productKey: string } | null {
  const at = credentialsId?.lastIndexOf('&') ?? -1;
  if (credentialsId === null || at === -1) return null;
  return { deviceName: credentialsId.slice(0, at), productKey: credentialsId.slice(at + 1) };
}
