import { type Static, Type } from 'typebox';
import { type ApiJson, epochMs, named, refTo } from './building-blocks.ts';
import { EntityId, Uuid } from './entity-id.ts';
import { PageLinkProperties, pageOf } from './page.ts';

const anyValue = (description: string) => Type.Unsafe<ApiJson>({ description });

/** States of a persistent RPC; a stored one is never DELETED. thingsboard-device.md, 4.3 */
export const RPC_STATUSES = [
  'QUEUED',
  'SENT',
  'DELIVERED',
  'SUCCESSFUL',
  'TIMEOUT',
  'EXPIRED',
  'FAILED',
  'DELETED',
] as const;

/** thingsboard-server.md, 4.1 */
export const RpcRequest = named(
  'RpcRequest',
  Type.Object({
    method: Type.String({ minLength: 1, maxLength: 255 }),
    params: Type.Optional(anyValue('Any JSON; null if left out. Reaches the device as it is written here.')),
    timeout: Type.Optional(
      Type.Integer({
        description:
          'Milliseconds; 10,000 if left out, less than 5,000 count as 5,000. `rrpc` of ALIBABA devices: 1,000 to 8,000, else 400.',
      }),
    ),
    expirationTime: Type.Optional(epochMs('Epoch milliseconds; beats `timeout`.')),
    persistent: Type.Optional(Type.Boolean({ description: 'Store and track; answers with the id at once.' })),
    retries: Type.Optional(Type.Integer({ description: 'Of a persistent RPC: at most 5, which is the default.' })),
    additionalInfo: Type.Optional(anyValue('Kept with a persistent RPC.')),
    requestUUID: Type.Optional(Uuid),
  }),
);
export type RpcRequest = Static<typeof RpcRequest>;

/** The answer to a persistent call. */
export const RpcAccepted = named('RpcAccepted', Type.Object({ rpcId: Uuid }));
export type RpcAccepted = Static<typeof RpcAccepted>;

/** A persistent RPC. thingsboard-server.md, 4.3 */
export const Rpc = named(
  'Rpc',
  Type.Object({
    id: refTo(EntityId),
    createdTime: epochMs(),
    tenantId: refTo(EntityId),
    deviceId: refTo(EntityId),
    expirationTime: epochMs(),
    request: Type.Object({
      id: Uuid,
      tenantId: refTo(EntityId),
      deviceId: refTo(EntityId),
      oneway: Type.Boolean(),
      expirationTime: epochMs(),
      body: Type.Object({ method: Type.String(), params: anyValue('As it was sent.') }),
      persisted: Type.Boolean(),
      retries: Type.Integer(),
      additionalInfo: anyValue('As it was given.'),
    }),
    response: anyValue('What the device answered, or an object with `error`; null so far.'),
    status: Type.Enum(RPC_STATUSES.filter((status) => status !== 'DELETED')),
    additionalInfo: anyValue('As it was given.'),
  }),
);
export type Rpc = Static<typeof Rpc>;

export const RpcPage = pageOf('RpcPage', refTo(Rpc));
export type RpcPage = Static<typeof RpcPage>;

/** Query of the list of a device. */
export const RpcListQuery = Type.Object({
  ...PageLinkProperties,
  rpcStatus: Type.Optional(
    Type.Enum([...RPC_STATUSES], { description: 'Only those in this state; DELETED is refused.' }),
  ),
});
export type RpcListQuery = Static<typeof RpcListQuery>;
