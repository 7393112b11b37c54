import type { BodyReader } from '../body-reader.ts';
import { PacketType, type Properties, type UserProperty } from '../packets.ts';
import { ReasonCode } from '../reason-codes.ts';
import { forbidden, malformed, refuse } from '../refusals.ts';
import { hasWildcard } from '../topics/topic-name.ts';
import { type PropertyDefinition, type PropertyOwner, propertyFor } from './property-table.ts';

/**
 * Reads Property Length and properties. null: there are none, or something is wrong (`reader.error`).
 * Rules: mqtt.md, section 3 and U-1 to U-5, U-14, U-22.
 */
export function readProperties(reader: BodyReader, owner: PropertyOwner): Properties | null {
  const length = reader.variableByteInteger('The Property Length');
  if (length > reader.remaining) {
    reader.fail(malformed(5, 'The Property Length reaches past the end of the packet.', 'U-4'));
    return null;
  }
  const packetEnd = reader.end;
  reader.end = reader.position + length;
  const properties = length === 0 ? null : readList(reader, owner);
  if (reader.error !== null) return null;
  reader.end = packetEnd;
  checkAuthentication(reader, owner, properties);
  return properties;
}

/** The lists while they grow; they enter the properties with their first element. */
interface Repeated {
  readonly subscriptionIdentifiers: number[];
  readonly userProperties: UserProperty[];
}

function readList(reader: BodyReader, owner: PropertyOwner): Properties {
  const properties: Properties = {};
  const repeated: Repeated = { subscriptionIdentifiers: [], userProperties: [] };
  while (reader.remaining > 0) {
    const id = reader.variableByteInteger('A Property Identifier');
    const definition = propertyFor(id, owner);
    if (definition === undefined) {
      reader.fail(malformed(5, `Property Identifier ${id} is unknown or not allowed in this packet.`, 'U-1'));
    } else if (mayFollow(reader, owner, definition, properties)) {
      readOne(reader, definition, properties, repeated);
    }
  }
  return properties;
}

/** Checks what does not depend on the value: once-only properties (U-2) and those that only the other side may send. */
function mayFollow(
  reader: BodyReader,
  owner: PropertyOwner,
  definition: PropertyDefinition,
  properties: Properties,
): boolean {
  const { key, name } = definition;
  const repeatable = key === 'userProperties' || (key === 'subscriptionIdentifiers' && owner === PacketType.Publish);
  if (!repeatable && properties[key] !== undefined) {
    reader.fail(forbidden(5, `${name} stands twice in one packet.`, 'U-2'));
    return false;
  }
  const { sender } = reader.limits;
  if (sender === 'client' && owner === PacketType.Publish && key === 'subscriptionIdentifiers') {
    reader.fail(forbidden(5, 'A client sent a Subscription Identifier in a PUBLISH.', 'MQTT-3.3.4-6'));
    return false;
  }
  if (sender === 'server' && owner === PacketType.Disconnect && key === 'sessionExpiryInterval') {
    reader.fail(forbidden(5, 'The server sent a Session Expiry Interval in DISCONNECT.', 'MQTT-3.14.2-2'));
    return false;
  }
  return true;
}

function readOne(reader: BodyReader, definition: PropertyDefinition, properties: Properties, repeated: Repeated): void {
  const { name } = definition;
  switch (definition.type) {
    case 'flag': {
      const value = reader.byte(name);
      if (value === 0 || value === 1) properties[definition.key] = value;
      else reader.fail(forbidden(5, `${name} is ${value}, not 0 or 1.`, 'U-3'));
      return;
    }
    case 'twoBytes':
    case 'fourBytes': {
      const value = definition.type === 'twoBytes' ? reader.twoBytes(name) : reader.fourBytes(name);
      if (value === 0 && definition.zero !== undefined) {
        const clause = definition.key === 'topicAlias' ? 'MQTT-3.3.2-8' : 'U-3';
        reader.fail(refuse(5, definition.zero, `${name} is 0.`, clause));
      }
      properties[definition.key] = value;
      return;
    }
    case 'text': {
      const text = reader.text(name);
      properties[definition.key] = text;
      if (definition.key === 'responseTopic') checkResponseTopic(reader, text);
      return;
    }
    case 'binary':
      properties[definition.key] = reader.binary(name);
      return;
    case 'variable': {
      const value = reader.variableByteInteger(name);
      if (value === 0) reader.fail(forbidden(5, `${name} is 0.`, 'U-3'));
      repeated.subscriptionIdentifiers.push(value);
      properties.subscriptionIdentifiers = repeated.subscriptionIdentifiers;
      return;
    }
    case 'pair':
      readUserProperty(reader, repeated.userProperties);
      properties.userProperties = repeated.userProperties;
  }
}

function readUserProperty(reader: BodyReader, userProperties: UserProperty[]): void {
  const { maximumUserProperties } = reader.limits;
  if (userProperties.length >= maximumUserProperties) {
    const message = `The packet has more than ${maximumUserProperties} User Properties.`;
    reader.fail(refuse(5, ReasonCode.QuotaExceeded, message, 'U-22'));
    return;
  }
  userProperties.push([reader.text('a User Property'), reader.text('a User Property')]);
}

function checkResponseTopic(reader: BodyReader, topicName: string): void {
  if (topicName.length === 0) reader.fail(forbidden(5, 'The Response Topic is empty.', 'MQTT-4.7.3-1'));
  if (hasWildcard(topicName)) reader.fail(forbidden(5, 'The Response Topic holds a wildcard.', 'MQTT-3.3.2-14'));
}

function checkAuthentication(reader: BodyReader, owner: PropertyOwner, properties: Properties | null): void {
  if (properties?.authenticationMethod !== undefined) return;
  if (properties?.authenticationData !== undefined) {
    reader.fail(forbidden(5, 'Authentication Data stands without an Authentication Method.', 'U-5'));
  } else if (owner === PacketType.Auth) {
    reader.fail(forbidden(5, 'AUTH has no Authentication Method.', 'U-14'));
  }
}
