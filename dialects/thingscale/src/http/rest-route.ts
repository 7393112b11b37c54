import type { ConnectCredential, EntityId } from '@moorage/core';
import type { DeviceDesk, DeviceHttpAnswer, DeviceHttpRoute, DeviceRequest } from '@moorage/dialect-api';
import type { AccountData, ThingscaleAccounts } from '../data/account-data.ts';
import type { ThingscaleServer } from '../ports.ts';
import { error } from './answers.ts';
import { BadMember } from './body-members.ts';
import { headerOf } from './headers.ts';
import { RequestWindow } from './rate-gates.ts';

/** Bytes; bulk writes and commands have limits of their own. */
export const BODY_LIMIT = 65_536;
/** Requests per second of an account. thingscale.md, 2.1 */
const RATE_LIMIT = 20;
const MAXIMUM_TOKEN = 64;

/** What the HTTP side needs of the server. */
export type HttpSide = Pick<ThingscaleServer, 'now' | 'monotonic' | 'credentials' | 'sessions'>;
export type HttpAccounts = Pick<ThingscaleAccounts, 'of'>;

/** A request of the REST API whose account is known. */
export interface RestCall {
  readonly request: DeviceRequest;
  readonly desk: DeviceDesk;
  readonly application: ConnectCredential;
  readonly applicationId: EntityId;
  readonly data: AccountData;
  /** What the path names; undefined: it stands for all, or for nothing. */
  readonly id: string | undefined;
}

/** One resource of the REST API. */
export interface RestEntry {
  readonly method: DeviceHttpRoute['method'];
  /** Without a final slash, which may always follow; a last level `:id` names the record. */
  readonly path: string;
  readonly bodyLimit?: number;
  handle(call: RestCall): DeviceHttpAnswer | Promise<DeviceHttpAnswer>;
}

/** The account of a token in a header; null: there is none, or it is disabled. Guesses are slowed down. */
export async function accountOf(
  request: DeviceRequest,
  desk: DeviceDesk,
  server: HttpSide,
  header: 'x-apitoken' | 'x-devicetoken',
): Promise<ConnectCredential | null> {
  const token = headerOf(request, header);
  if (token === undefined) return null;
  const member = header === 'x-apitoken' ? 'apiToken' : 'deviceToken';
  const credential =
    token.length <= MAXIMUM_TOKEN ? server.credentials.applicationBySecret?.('thingscale', member, token) : undefined;
  if (credential?.application != null) return credential.application.enabled ? credential : null;
  // Not the token itself: it may be the right one of the other kind, and names are logged.
  await desk.refused(request.remoteAddress, header, `No ThingScale account has the token in ${header}.`);
  return null;
}

/** Makes routes of the REST API: who asks, and how often, is looked at before anything else. thingscale.md, 4.8 */
export function restRoutes(
  accounts: HttpAccounts,
  server: HttpSide,
  entries: readonly RestEntry[],
): readonly DeviceHttpRoute[] {
  const rate = new RequestWindow(RATE_LIMIT);
  return entries.flatMap(({ method, path, bodyLimit = BODY_LIMIT, handle }): DeviceHttpRoute[] => {
    const route = {
      method,
      bodyLimit,
      tooLarge: () => error('BODY_TOO_LARGE'),
      async handle(request: DeviceRequest, desk: DeviceDesk): Promise<DeviceHttpAnswer> {
        const application = await accountOf(request, desk, server, 'x-apitoken');
        const applicationId = application?.application?.id;
        if (application === null || applicationId === undefined) return error('AUTH_REQUIRED');
        if (!rate.admits(applicationId, server.monotonic())) return error('TOO_MANY_REQUESTS');
        const data = await accounts.of(application);
        const id = request.parameters.id;
        try {
          return await handle({ request, desk, application, applicationId, data, id });
        } catch (problem) {
          if (problem instanceof BadMember) return error('BAD_JSON_FORMAT');
          throw problem;
        }
      },
    };
    return [
      { ...route, path },
      { ...route, path: `${path}/` },
    ];
  });
}
