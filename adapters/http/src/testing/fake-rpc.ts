import { type RpcService, refuse } from '@moorage/core';

/** Knows no RPC and reaches no device; tests replace what they need. */
export function fakeRpc(): RpcService {
  return {
    call: async () => refuse('notFound'),
    get: async (_caller, id) => refuse('notFound', `Rpc with id [${id}] is not found`),
    list: async () => refuse('notFound'),
    remove: async (_caller, id) => refuse('notFound', `Rpc with id [${id}] is not found`),
  };
}
