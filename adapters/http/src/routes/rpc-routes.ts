import type { ApiContext, ApiServer } from '../api-context.ts';
import { bareErrorHandler } from '../refusals/error-handlers.ts';
import { validatorCompiler } from '../validation/compilers.ts';
import { acceptAnyBodies } from '../validation/json-body.ts';
import { RPC_V1, RPC_V2, type RpcStatusCodes, registerRpcCallRoutes } from './rpc-call-routes.ts';
import { registerRpcPersistentRoutes } from './rpc-persistent-routes.ts';

/** RPC below `/api`: bodies of any content type, refusals that are bare sentences. thingsboard-server.md, section 4 */
export async function registerRpcRoutes(app: ApiServer, context: ApiContext): Promise<void> {
  const family = (prefix: string, codes: RpcStatusCodes) =>
    app.register(
      async (scope: ApiServer) => {
        acceptAnyBodies(scope);
        scope.setErrorHandler(bareErrorHandler(context.refusals));
        scope.setValidatorCompiler((route) =>
          route.httpPart === 'body' ? (body: unknown) => ({ value: body }) : validatorCompiler(route),
        );
        registerRpcCallRoutes(scope, context, codes);
        if (codes === RPC_V2) registerRpcPersistentRoutes(scope, context);
      },
      { prefix },
    );
  await family('/plugins/rpc', RPC_V1);
  await family('/rpc', RPC_V2);
}
