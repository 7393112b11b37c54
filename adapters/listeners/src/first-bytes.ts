/** Milliseconds to the first byte, for the TLS handshake and for the WebSocket handshake, each. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;

/** First bytes that tell protocols apart. recognition.md, section 2 */
export const FIRST_BYTE = {
  /** Record of a TLS handshake. RFC 8446, 5.1 */
  clientHello: 0x16,
  /** CONNECT. MQTT 5.0, 3.1.1 */
  connect: 0x10,
} as const;

/** Longest head of an HTTP request that is looked at before it is handed on as it is. */
export const MAX_REQUEST_HEAD_BYTES = 16_384;

const SUB_PROTOCOLS: ReadonlySet<string> = new Set(['mqtt', 'mqttv3.1']);
/** Longest offer that is read; browsers and devices offer one or two names. */
const MAX_OFFER_LENGTH = 1024;

/** What follows the TLS handshake on a port for everything; null: more bytes are needed. */
export function afterHandshake(bytes: Buffer): 'mqtt' | 'webSocket' | 'http' | 'unknown' | null {
  const [first] = bytes;
  if (first === undefined) return null;
  if (first === FIRST_BYTE.connect) return 'mqtt';
  // A method begins with a capital letter. RFC 9110, 9.1
  if (first < 0x41 || first > 0x5a) return 'unknown';
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return bytes.length < MAX_REQUEST_HEAD_BYTES ? null : 'http';
  return asksForMqtt(bytes.toString('latin1', 0, end)) ? 'webSocket' : 'http';
}

/** The sub-protocol to answer with: the first one offered that is MQTT's; null: none is. [MQTT-6.0.0-4] */
export function chooseSubProtocol(offered: string | undefined): string | null {
  if (offered === undefined || offered.length > MAX_OFFER_LENGTH) return null;
  return (
    offered
      .split(',', 20)
      .find((name) => SUB_PROTOCOLS.has(name.trim()))
      ?.trim() ?? null
  );
}

function asksForMqtt(head: string): boolean {
  let upgrade = false;
  let offered = false;
  for (const line of head.split('\r\n', 200)) {
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === 'upgrade') upgrade ||= value.toLowerCase() === 'websocket';
    else if (name === 'sec-websocket-protocol') offered ||= chooseSubProtocol(value) !== null;
  }
  return upgrade && offered;
}
