import { type PlatformError, type Result, refuse } from '../../errors.ts';
import type { CredentialsType, DialectId } from '../../model/entities.ts';
import type { CredentialsInput } from '../../platform.ts';
import type { NameClaim, NameList } from '../../ports/repositories.ts';
import type { Crypto } from '../../ports/runtime.ts';
import { readAccessToken } from './access-token.ts';
import { readAlibaba } from './alibaba.ts';
import type { CredentialForm, CredentialKind, CredentialReader } from './credential-form.ts';
import { type CredentialPlace, NOWHERE } from './credential-place.ts';
import { readMqttBasic } from './mqtt-basic.ts';
import { takenText } from './name-rules.ts';
import { readPlain } from './plain.ts';
import { readThingscale } from './thingscale.ts';
import { readWaveshare } from './waveshare.ts';
import { readX509 } from './x509.ts';

/** ThingsBoard's own sentences. thingsboard-server.md, 2.3 */
function takenInThingsBoard(_list: string, holder: DialectId): PlatformError {
  return holder === 'thingsboard'
    ? refuse('badRequest', 'Device credentials are already assigned to another device!')
    : refuse('badRequest', 'Specified credentials are already registered!');
}

function takenByDialect(list: NameList, holder: DialectId): PlatformError {
  return refuse('invalidArguments', takenText(list, holder));
}

const THINGSBOARD = { dialect: 'thingsboard', exclusive: false, taken: takenInThingsBoard };

/** What every credentials type of a device is. */
export const CREDENTIAL_KINDS: Readonly<Record<CredentialsType, CredentialKind>> = {
  ACCESS_TOKEN: { ...THINGSBOARD, secret: false },
  MQTT_BASIC: { ...THINGSBOARD, secret: true },
  X509_CERTIFICATE: { ...THINGSBOARD, secret: false },
  PLAIN: { dialect: 'plain', secret: true, exclusive: true, taken: takenByDialect },
  ALIBABA: { dialect: 'alibaba', secret: true, exclusive: true, taken: takenByDialect },
  WAVESHARE: { dialect: 'waveshare', secret: true, exclusive: true, taken: takenByDialect },
  THINGSCALE: { dialect: 'thingscale', secret: false, exclusive: true, taken: takenByDialect },
};

const READERS: Readonly<Record<CredentialsType, CredentialReader>> = {
  ACCESS_TOKEN: readAccessToken,
  MQTT_BASIC: readMqttBasic,
  X509_CERTIFICATE: readX509,
  PLAIN: readPlain,
  ALIBABA: readAlibaba,
  WAVESHARE: readWaveshare,
  THINGSCALE: readThingscale,
};

/** Checks credentials that shall be saved for a device at `place`; generates what was left out, where the type allows. */
export function readCredentials(
  input: Pick<CredentialsInput, 'credentialsType' | 'credentialsId' | 'credentialsValue'>,
  crypto: Crypto,
  place: CredentialPlace = NOWHERE,
): Result<CredentialForm> {
  return READERS[input.credentialsType](input, crypto, place);
}

/** The name that credentials occupy: the user name, or the Client Identifier where it is all there is; none for certificates. */
export function namesOf(
  credential: { readonly username: string | null; readonly clientId: string | null },
  kind: Pick<CredentialKind, 'dialect' | 'exclusive'>,
): readonly NameClaim[] {
  const { dialect, exclusive } = kind;
  if (credential.username !== null) return [{ list: 'username', name: credential.username, dialect, exclusive }];
  if (credential.clientId !== null) return [{ list: 'clientId', name: credential.clientId, dialect, exclusive }];
  return [];
}
