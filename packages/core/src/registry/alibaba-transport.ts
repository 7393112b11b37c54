import { type PlatformError, type Result, refuse, success } from '../errors.ts';
import type { Json, JsonObject } from '../model/entities.ts';
import type { AlibabaSettings, LinkTopicClass, LinkTopicPermission } from '../model/profile-settings.ts';
import type { Crypto } from '../ports/runtime.ts';
import { isObject } from '../values/json.ts';
import { isProductKey, linkSecretProblem } from './credentials/alibaba.ts';
import { randomText } from './random-text.ts';

export const ALIBABA_TRANSPORT = 'ALIBABA';

const GENERATED_KEY_LENGTH = 11;
const GENERATED_SECRET_LENGTH = 16;
/** alibaba-link.md, 2.6 */
const MAX_TOPIC_CLASSES = 50;
const MAX_TOPIC_LENGTH = 100;
const PERMISSIONS: readonly LinkTopicPermission[] = ['PUB', 'SUB', 'ALL'];
/** Every product begins with these. alibaba-link.md, 2.1 */
const FIRST_TOPIC_CLASSES: readonly (JsonObject & LinkTopicClass)[] = [
  { topic: 'user/update', permission: 'PUB' },
  { topic: 'user/update/error', permission: 'PUB' },
  { topic: 'user/get', permission: 'SUB' },
];
/** `user/...`, or one of the three topics of old products. */
const TOPIC = /^(?:user(?:\/[A-Za-z0-9_]+)+|update|update\/error|get)$/;
const FILTER = /^user(?:\/(?:[A-Za-z0-9_]+|\+))*\/(?:[A-Za-z0-9_]+|\+|#)$/;

/** `profileData.transportConfiguration` if it is one of this transport. api-additions.md, 1 */
export function alibabaTransportOf(profileData: JsonObject): JsonObject | null {
  const transport = Object.hasOwn(profileData, 'transportConfiguration') ? profileData.transportConfiguration : null;
  if (!isObject(transport)) return null;
  return transport.type === ALIBABA_TRANSPORT ? transport : null;
}

/** Checks the transport of a profile that is being saved; names and secrets left out are those it has, or drawn. */
export function completeAlibabaTransport(
  profileData: JsonObject,
  current: JsonObject | null,
  crypto: Pick<Crypto, 'randomBytes'>,
): Result<JsonObject> {
  const given = alibabaTransportOf(profileData);
  if (given === null) return success(profileData);
  const before = current === null ? null : alibabaTransportOf(current);
  const text = (member: string, length: number): Json =>
    nonEmpty(given[member]) ?? nonEmpty(before?.[member]) ?? randomText(crypto, length);
  const completed: JsonObject = {
    ...given,
    productKey: text('productKey', GENERATED_KEY_LENGTH),
    productSecret: text('productSecret', GENERATED_SECRET_LENGTH),
    dynamicRegistration: given.dynamicRegistration ?? false,
    topicClasses: given.topicClasses ?? FIRST_TOPIC_CLASSES,
    thingModel: given.thingModel ?? null,
  };
  return (
    transportProblem(completed) ??
    success(
      Object.fromEntries(
        Object.entries(profileData).map(([name, value]) => [
          name,
          name === 'transportConfiguration' ? completed : value,
        ]),
      ),
    )
  );
}

/** The same profile data without what lets devices in. */
export function withoutProductSecret(profileData: JsonObject): JsonObject {
  const transport = alibabaTransportOf(profileData);
  if (transport === null) return profileData;
  const hidden = { ...transport, productSecret: null };
  return Object.fromEntries(
    Object.entries(profileData).map(([name, value]) => [name, name === 'transportConfiguration' ? hidden : value]),
  );
}

/** What the transport means for live connections; null: the profile is none of an Alibaba product. */
export function deriveAlibabaSettings(profileData: JsonObject): AlibabaSettings | null {
  const transport = alibabaTransportOf(profileData);
  if (transport === null || typeof transport.productKey !== 'string') return null;
  const { productKey, productSecret, dynamicRegistration, topicClasses, thingModel } = transport;
  return {
    productKey,
    productSecret: typeof productSecret === 'string' ? productSecret : null,
    dynamicRegistration: dynamicRegistration === true,
    ...(transport.registrationFree === true ? { registrationFree: true } : {}),
    topicClasses: Array.isArray(topicClasses) ? topicClasses.filter(isTopicClass) : FIRST_TOPIC_CLASSES,
    thingModel: isObject(thingModel) ? thingModel : null,
  };
}

/** True if both mean the same for a connection. */
export function sameAlibabaSettings(a: AlibabaSettings | null, b: AlibabaSettings | null): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function transportProblem(transport: JsonObject): PlatformError | null {
  const { productKey, productSecret, dynamicRegistration, topicClasses, thingModel } = transport;
  if (typeof productKey !== 'string' || !isProductKey(productKey)) {
    return invalid('productKey is not 1 to 20 letters and digits');
  }
  const secretProblem = typeof productSecret === 'string' ? linkSecretProblem(productSecret) : 'is no text';
  if (secretProblem !== null) return invalid(`productSecret ${secretProblem}`);
  if (typeof dynamicRegistration !== 'boolean') return invalid('dynamicRegistration is not a Boolean');
  if (typeof (transport.registrationFree ?? false) !== 'boolean') return invalid('registrationFree is not a Boolean');
  if (!Array.isArray(topicClasses) || topicClasses.length > MAX_TOPIC_CLASSES) {
    return invalid(`topicClasses is not a list of at most ${MAX_TOPIC_CLASSES} topic classes`);
  }
  const entries: readonly Json[] = topicClasses;
  const wrong = entries.findIndex((entry) => !isTopicClass(entry));
  if (wrong !== -1) return invalid(`topicClasses[${wrong}] ${topicClassProblem(entries[wrong] ?? null)}`);
  return thingModel === null || isObject(thingModel) ? null : invalid('thingModel is not an object');
}

function isTopicClass(entry: Json): entry is JsonObject & LinkTopicClass {
  return topicClassProblem(entry) === null;
}

/** As the end of a sentence. Wildcards are for receiving only. alibaba-link.md, 2.1; ALI-32 */
function topicClassProblem(entry: Json): string | null {
  if (!isObject(entry)) return 'is not an object';
  const { topic, permission } = entry;
  if (!PERMISSIONS.some((known) => known === permission)) return 'has a permission that is not PUB, SUB or ALL';
  if (typeof topic !== 'string' || topic.length > MAX_TOPIC_LENGTH) return 'has no topic';
  if (TOPIC.test(topic)) return null;
  if (!FILTER.test(topic)) return 'has a topic that is not user/ and levels of letters, digits and _';
  return permission === 'SUB' ? null : 'has wildcards, which need the permission SUB';
}

function invalid(text: string): PlatformError {
  return refuse('invalidArguments', `transportConfiguration: ${text}`);
}

function nonEmpty(value: Json | undefined): Json | undefined {
  return value === null || value === '' ? undefined : value;
}
