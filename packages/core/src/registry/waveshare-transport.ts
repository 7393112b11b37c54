import { type PlatformError, type Result, refuse, success } from '../errors.ts';
import type { Json, JsonObject } from '../model/entities.ts';
import type { WaveshareAttribute, WaveshareSettings } from '../model/profile-settings.ts';
import { readWaveshareAttribute } from './waveshare-attributes.ts';
import { WAVESHARE_PRODUCTS } from './waveshare-products.ts';

export const WAVESHARE_TRANSPORT = 'WAVESHARE';

const PRODUCT_NUMBER = /^[0-9]{1,10}$/;
const NO_PRODUCT_NUMBER = '1';
const MAX_ATTRIBUTES = 256;
/** What the vendor's firmware can take unless it was built otherwise. waveshare.md, 2.2 */
const DEFAULT_PACKET = 256;
const MIN_PACKET = 128;
const MAX_PACKET = 262_144;

/** Checks the transport of a profile that is being saved; what is left out is that of the ready-made product, or none. */
export function completeWaveshareTransport(profileData: JsonObject): Result<JsonObject> {
  const given = transportOf(profileData);
  if (given === null) return success(profileData);
  const name = given.product ?? null;
  const product = typeof name === 'string' ? WAVESHARE_PRODUCTS.get(name) : undefined;
  if (name !== null && product === undefined) {
    return invalid(`product is not one of ${[...WAVESHARE_PRODUCTS.keys()].join(', ')}`);
  }
  const attributes = given.attributes ?? null;
  const read = attributes === null ? success(product?.attributes ?? []) : readAttributes(attributes);
  if (!read.ok) return read;
  const completed: JsonObject = {
    ...given,
    n2: given.n2 ?? product?.n2 ?? NO_PRODUCT_NUMBER,
    attributes: read.value.map((attribute) => ({ ...attribute })),
    downlinkMaxPacket: given.downlinkMaxPacket ?? DEFAULT_PACKET,
    holdLast: given.holdLast ?? false,
  };
  const members = Object.entries(profileData).map(([member, value]): [string, Json] => [
    member,
    member === 'transportConfiguration' ? completed : value,
  ]);
  return memberProblem(completed) ?? success(Object.fromEntries(members));
}

/** What the transport means for live connections; null: the profile is none of a Waveshare product. */
export function deriveWaveshareSettings(profileData: JsonObject): WaveshareSettings | null {
  const transport = transportOf(profileData);
  if (transport === null || memberProblem(transport) !== null) return null;
  const attributes = readAttributes(transport.attributes ?? []);
  return {
    n2: String(transport.n2),
    attributes: attributes.ok ? attributes.value : [],
    downlinkMaxPacket: Number(transport.downlinkMaxPacket),
    holdLast: transport.holdLast === true,
  };
}

/** True if both mean the same for a connection. */
export function sameWaveshareSettings(a: WaveshareSettings | null, b: WaveshareSettings | null): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** `profileData.transportConfiguration` if it is one of this transport. api-additions.md, 1 */
function transportOf(profileData: JsonObject): JsonObject | null {
  const transport = Object.hasOwn(profileData, 'transportConfiguration') ? profileData.transportConfiguration : null;
  if (typeof transport !== 'object' || transport === null || Array.isArray(transport)) return null;
  const object = transport as JsonObject;
  return object.type === WAVESHARE_TRANSPORT ? object : null;
}

function memberProblem({ n2, downlinkMaxPacket, holdLast }: JsonObject): PlatformError | null {
  if (typeof n2 !== 'string' || !PRODUCT_NUMBER.test(n2)) return invalid('n2 is not a text of 1 to 10 digits');
  const isSize = typeof downlinkMaxPacket === 'number' && Number.isInteger(downlinkMaxPacket);
  if (!isSize || downlinkMaxPacket < MIN_PACKET || downlinkMaxPacket > MAX_PACKET) {
    return invalid(`downlinkMaxPacket is not a whole number from ${MIN_PACKET} to ${MAX_PACKET}`);
  }
  return typeof holdLast === 'boolean' ? null : invalid('holdLast is not a Boolean');
}

function readAttributes(given: Json): Result<readonly WaveshareAttribute[]> {
  if (!Array.isArray(given) || given.length > MAX_ATTRIBUTES) {
    return invalid(`attributes is not a list of at most ${MAX_ATTRIBUTES} attributes`);
  }
  const entries: readonly Json[] = given;
  const attributes = new Map<string, WaveshareAttribute>();
  for (const [index, entry] of entries.entries()) {
    const attribute = readWaveshareAttribute(entry);
    if (typeof attribute === 'string') return invalid(`attributes[${index}] ${attribute}`);
    if (attributes.has(attribute.identifier)) return invalid(`attributes[${index}] has the identifier of another one`);
    attributes.set(attribute.identifier, attribute);
  }
  return success([...attributes.values()]);
}

function invalid(text: string): PlatformError {
  return refuse('invalidArguments', `transportConfiguration: ${text}`);
}
