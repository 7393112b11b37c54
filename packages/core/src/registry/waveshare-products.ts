import type { WaveshareAttribute, WaveshareAttributeType } from '../model/profile-settings.ts';

/** What a ready-made product fills in. */
export interface WaveshareProduct {
  readonly n2: string;
  readonly attributes: readonly WaveshareAttribute[];
}

/** A number seen with the vendor's relay boards, and one seen with ESP32 and modem boards. waveshare.md, 2.1 */
const RELAY_NUMBER = '54';
const BOARD_NUMBER = '37';

function attribute(
  identifier: string,
  type: WaveshareAttributeType,
  access: 'r' | 'rw',
  range: Partial<Pick<WaveshareAttribute, 'unit' | 'minimum' | 'maximum'>> = {},
): WaveshareAttribute {
  const open = { name: null, unit: null, minimum: null, maximum: null, step: null, values: null };
  return { ...open, ...range, identifier, type, access };
}

/** Channels from `CH1` on, and one for all of them. */
function relay(channels: number): WaveshareProduct {
  const names = Array.from({ length: channels }, (_, index) => `CH${index + 1}`);
  return { n2: RELAY_NUMBER, attributes: [...names, 'ALL'].map((name) => attribute(name, 'bool', 'rw')) };
}

function board(attributes: readonly WaveshareAttribute[]): WaveshareProduct {
  return { n2: BOARD_NUMBER, attributes };
}

/** The ready-made products by their names in a profile. waveshare.md, 4.2 */
export const WAVESHARE_PRODUCTS: ReadonlyMap<string, WaveshareProduct> = new Map([
  ['RELAY_6CH', relay(6)],
  ['RELAY_8CH', relay(8)],
  [
    'GNSS_TRACKER',
    board([
      attribute('Latitude', 'float', 'r', { unit: '°', minimum: -90, maximum: 90 }),
      attribute('Longitude', 'float', 'r', { unit: '°', minimum: -180, maximum: 180 }),
      attribute('batteryLevel', 'float', 'r'),
    ]),
  ],
  ['SINGLE_LED', board([attribute('builtIn', 'bool', 'rw')])],
  ['KEY', board([attribute('key', 'int', 'rw')])],
]);
