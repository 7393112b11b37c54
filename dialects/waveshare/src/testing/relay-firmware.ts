/** Bytes of the largest packet that the library takes; a larger one is ignored without a word. Section 2.2 */
const PACKET_BUFFER = 256;

/** Fixed header, Topic Name and payload at QoS 0. */
function packetLength(topicName: string, payload: Uint8Array): number {
  const remaining = 2 + topicName.length + payload.length;
  return 1 + (remaining < 128 ? 1 : 2) + remaining;
}

function textOf(payload: Uint8Array): string {
  let text = '';
  for (const byte of payload) text += String.fromCharCode(byte);
  return text;
}

/** As `String::toInt` of Arduino reads: blanks, a sign, digits; anything else is 0. */
function toInt(text: string): number {
  return Number(/^\s*([+-]?[0-9]+)/.exec(text)?.[1] ?? 0);
}

/** The firmware of a relay board: it searches the text of a message for the first channel that it knows. Section 2.2 */
export class RelayFirmware {
  /** `true`: the relay is closed. By channel, from `CH1` on. */
  readonly relays: boolean[];
  readonly #subTopic: string;
  readonly #packetBuffer: number;

  constructor(channels: 6 | 8, subTopic: string, packetBuffer = PACKET_BUFFER) {
    this.relays = Array.from({ length: channels }, () => false);
    this.#subTopic = subTopic;
    this.#packetBuffer = packetBuffer;
  }

  receive(topicName: string, payload: Uint8Array): void {
    if (topicName !== this.#subTopic || packetLength(topicName, payload) > this.#packetBuffer) return;
    const text = textOf(payload);
    const data = text.indexOf('"data"');
    if (data === -1) return;
    const names = [...this.relays.keys()].map((index) => `CH${index + 1}`);
    for (const [index, name] of [...names, 'ALL'].entries()) {
      const at = text.indexOf(`"${name}"`, data);
      if (at === -1) continue;
      const colon = text.indexOf(':', at);
      const brace = text.indexOf('}', colon);
      if (colon === -1 || brace === -1) return;
      const on = toInt(text.slice(colon + 1, brace)) === 1;
      if (index === names.length) this.relays.fill(on);
      else this.relays[index] = on;
      return;
    }
  }
}

/** The character that the BLE keyboard types: the one right behind `"key":`. Section 2.2 */
export function keyboardFirmware(payload: Uint8Array): string | null {
  const text = textOf(payload);
  const data = text.indexOf('"data"');
  const at = data === -1 ? -1 : text.indexOf('"key":', data);
  return at === -1 ? null : text.charAt(at + '"key":'.length);
}
