import { type Static, type TSchema, type TUnsafe, Type } from 'typebox';
import {
  type ApiJson,
  epochMs,
  named,
  nullableInteger,
  nullableRefTo,
  nullableText,
  refTo,
} from './building-blocks.ts';
import { EntityId, EntityIdInput, Uuid } from './entity-id.ts';
import { PageLinkProperties, pageOf } from './page.ts';

const MAP =
  'By the text of the value, what is sent instead; a value that is not in it is not sent. null: every value as it is.';

function nullableMap(): TUnsafe<{ readonly [text: string]: ApiJson } | null> {
  return Type.Unsafe<{ readonly [text: string]: ApiJson } | null>({
    type: ['object', 'null'],
    additionalProperties: true,
    description: MAP,
    examples: [{ true: 1, false: 0 }],
  });
}

/** Keys are telemetry keys or client attributes. */
function sourceOf<T extends TSchema>(deviceId: T) {
  return Type.Object({
    deviceId,
    key: Type.String({ maxLength: 255, description: 'A telemetry key, or a client attribute.' }),
  });
}

const METHOD = { description: 'Called with the value as its params.', maxLength: 255 };
const ATTRIBUTE = { description: 'A shared attribute that is set to the value.', maxLength: 255 };

/** "The value of a device's key becomes a command to another device." api-additions.md, 3 */
export const DeviceLink = named(
  'DeviceLink',
  Type.Object({
    id: refTo(EntityId),
    createdTime: epochMs(),
    tenantId: refTo(EntityId),
    name: Type.String(),
    enabled: Type.Boolean(),
    source: sourceOf(refTo(EntityId)),
    target: Type.Object(
      { deviceId: refTo(EntityId), method: nullableText(METHOD), attribute: nullableText(ATTRIBUTE) },
      { description: 'Either `method` or `attribute` is set.' },
    ),
    map: nullableMap(),
    lastOutcome: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      enum: [
        null,
        'SENT',
        'STORED',
        'OFFLINE',
        'NOT_SUBSCRIBED',
        'NOT_SUPPORTED',
        'TOO_MANY',
        'INVALID',
        'STORAGE_FULL',
        'FAILED',
        'HOP_LIMIT',
      ],
      description: 'What became of the last value since the server started; null: there was none.',
    }),
    lastTime: nullableInteger({ description: 'When that was, epoch milliseconds.' }),
    version: Type.Integer(),
  }),
);
export type DeviceLink = Static<typeof DeviceLink>;

/** As of every list; here the page may be left out. */
export const DeviceLinkQuery = Type.Object({
  ...PageLinkProperties,
  pageSize: Type.Optional(Type.Integer({ minimum: 1, maximum: 2_147_483_647, description: '100 if left out.' })),
  page: Type.Optional(Type.Integer({ minimum: 0, maximum: 2_147_483_647, description: '0 if left out.' })),
});
export type DeviceLinkQuery = Static<typeof DeviceLinkQuery>;

export const DeviceLinkPage = pageOf('DeviceLinkPage', refTo(DeviceLink));
export type DeviceLinkPage = Static<typeof DeviceLinkPage>;

/** A device's id as an object, or as its bare text. */
function deviceIdInput() {
  return Type.Unsafe<EntityIdInput | string>({ anyOf: [{ $ref: EntityIdInput.$id }, Uuid] });
}

/** A link to create (no `id`) or to update. */
export const DeviceLinkInput = named(
  'DeviceLinkInput',
  Type.Object({
    id: Type.Optional(nullableRefTo(EntityIdInput, { description: 'Present: update.' })),
    name: Type.String({ maxLength: 255 }),
    enabled: Type.Optional(Type.Boolean({ description: 'True if left out.' })),
    source: sourceOf(deviceIdInput()),
    target: Type.Object(
      {
        deviceId: deviceIdInput(),
        method: Type.Optional(nullableText(METHOD)),
        attribute: Type.Optional(nullableText(ATTRIBUTE)),
      },
      { description: 'Either `method` or `attribute`.' },
    ),
    map: Type.Optional(nullableMap()),
    version: Type.Optional(nullableInteger()),
  }),
);
export type DeviceLinkInput = Static<typeof DeviceLinkInput>;
