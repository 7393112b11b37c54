import { type Static, Type } from 'typebox';
import { epochMs, named, refTo } from './building-blocks.ts';
import { pageOf } from './page.ts';

const orNull = <T extends ReturnType<typeof Type.String>>(schema: T) => Type.Union([schema, Type.Null()]);

/** One line of the connection log. api-additions.md, 3; recognition.md, 5 */
export const ConnectionLogEntry = named(
  'ConnectionLogEntry',
  Type.Object({
    ts: epochMs(),
    event: Type.String({ description: '`connected`, `refused`, `disconnected`, or `message`: one that was refused.' }),
    dialect: orNull(Type.String()),
    address: Type.String(),
    listener: Type.String(),
    protocolLevel: Type.Integer({ description: '3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0.' }),
    clientId: Type.String(),
    username: orNull(Type.String({ description: 'Shortened, since it may be a token.' })),
    code: Type.Integer({ description: 'The code that was sent to the client.' }),
    reason: Type.String({ description: 'Why, in plain English.' }),
    count: Type.Integer({ description: 'How often a message was refused for this reason in the minute from `ts` on.' }),
    row: orNull(Type.String({ description: 'Row of the table that refused an attempt nobody claimed.' })),
    looksLike: orNull(Type.String({ description: 'The vendor whose devices connect in this form.' })),
    said: Type.Array(Type.Object({ dialect: Type.String(), reason: Type.String() }), {
      description: 'What each dialect said that was asked.',
    }),
  }),
);
export type ConnectionLogEntry = Static<typeof ConnectionLogEntry>;

export const ConnectionLogPage = pageOf('ConnectionLogPage', refTo(ConnectionLogEntry));
export type ConnectionLogPage = Static<typeof ConnectionLogPage>;
