import { BodyWriter } from '../body-writer.ts';
import type { Properties } from '../packets.ts';
import { MAXIMUM_TEXT_BYTES, textBytes } from '../text.ts';
import { PROPERTY_TABLE } from './property-table.ts';

function collect(properties: Properties): BodyWriter {
  const writer = new BodyWriter();
  for (const definition of PROPERTY_TABLE) {
    const { id } = definition;
    switch (definition.type) {
      case 'flag': {
        const value = properties[definition.key];
        if (value === undefined) break;
        writer.byte(id);
        writer.byte(value);
        break;
      }
      case 'twoBytes':
      case 'fourBytes': {
        const value = properties[definition.key];
        if (value === undefined) break;
        writer.byte(id);
        if (definition.type === 'twoBytes') writer.twoBytes(value);
        else writer.fourBytes(value);
        break;
      }
      case 'text': {
        const value = properties[definition.key];
        if (value === undefined || !fits(writer, textBytes(value))) break;
        writer.byte(id);
        writer.text(value);
        break;
      }
      case 'binary': {
        const value = properties[definition.key];
        if (value === undefined || !fits(writer, value.length)) break;
        writer.byte(id);
        writer.binary(value);
        break;
      }
      case 'variable':
        for (const value of properties.subscriptionIdentifiers ?? []) {
          writer.byte(id);
          writer.variableByteInteger(value);
        }
        break;
      case 'pair':
        for (const [name, value] of properties.userProperties ?? []) {
          if (!fits(writer, textBytes(name)) || !fits(writer, textBytes(value))) continue;
          writer.byte(id);
          writer.text(name);
          writer.text(value);
        }
    }
  }
  return writer;
}

function fits(writer: BodyWriter, sizeBytes: number): boolean {
  if (sizeBytes <= MAXIMUM_TEXT_BYTES) return true;
  writer.overflow = true;
  return false;
}

/** Encodes properties with their Property Length in front. A text or binary value above 65,535 bytes is left out, since no field can hold it. MQTT 5.0, 2.2.2 */
export function encodeProperties(properties: Properties): Uint8Array {
  return collect(properties).withLength();
}

/** As encodeProperties, but null where a value does not fit. */
export function encodeWholeProperties(properties: Properties): Uint8Array | null {
  const writer = collect(properties);
  return writer.overflow ? null : writer.withLength();
}

/** Writes Property Length and properties into a packet; null writes the length 0. [MQTT-2.2.2-1] */
export function writeProperties(target: BodyWriter, properties: Properties | null): void {
  if (properties === null) {
    target.byte(0);
    return;
  }
  const writer = collect(properties);
  target.raw(writer.withLength());
  if (writer.overflow) target.overflow = true;
}
