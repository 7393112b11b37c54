import type { FastifyRequest } from 'fastify';
import { changesNothing } from '../auth/reading-calls.ts';

/** The part of a request that says which call it is. */
export type Call = Pick<FastifyRequest, 'method' | 'routeOptions'>;

/** Changing calls that are not recorded, with the reason. */
const UNRECORDED: ReadonlyMap<string, string> = new Map([
  ['refreshToken', 'every client does it every few hours'],
  ['requestResetPasswordByEmail', 'does nothing'],
  ['saveTimeseries', 'telemetry: the path of data, not of administration'],
  ['saveTimeseriesWithTtl', 'telemetry: the path of data, not of administration'],
]);

/** Reading calls that are recorded, since they give secrets away. */
const RECORDED_READS: ReadonlySet<string> = new Set([
  'getActivationLink',
  'getActivationLinkInfo',
  'getApplicationCredentials',
  'getDeviceCredentials',
  'getUserToken',
]);

/** Calls of people who are not signed in; they are told by the answer, or by the name they gave. */
const SIGN_INS: ReadonlySet<string> = new Set(['activateUser', 'login', 'loginPublic', 'resetPassword']);

/** ThingsBoard's names of actions, where the method does not tell them. */
const ACTIONS: ReadonlyMap<string, string> = new Map([
  ['activateUser', 'CREDENTIALS_UPDATED'],
  ['changePassword', 'CREDENTIALS_UPDATED'],
  ['claimDevice', 'ASSIGNED_TO_CUSTOMER'],
  ['createResetPasswordLink', 'CREDENTIALS_UPDATED'],
  ['deleteDeviceAttributes', 'ATTRIBUTES_DELETED'],
  ['deleteEntityAttributes', 'ATTRIBUTES_DELETED'],
  ['deleteTimeseries', 'TIMESERIES_DELETED'],
  ['login', 'LOGIN'],
  ['loginPublic', 'LOGIN'],
  ['logout', 'LOGOUT'],
  ['reClaimDevice', 'UNASSIGNED_FROM_CUSTOMER'],
  ['resetPassword', 'CREDENTIALS_UPDATED'],
  ['saveDeviceAttributes', 'ATTRIBUTES_UPDATED'],
  ['saveDeviceCredentials', 'CREDENTIALS_UPDATED'],
  ['saveEntityAttributesV1', 'ATTRIBUTES_UPDATED'],
  ['saveEntityAttributesV2', 'ATTRIBUTES_UPDATED'],
  ['setUserCredentialsEnabled', 'CREDENTIALS_UPDATED'],
]);

/** By the path: RPC calls and alarms. */
const PATH_ACTIONS: readonly (readonly [RegExp, string])[] = [
  [/\/rpc\/(oneway|twoway)\//, 'RPC_CALL'],
  [/\/alarm\/:\w+\/ack$/, 'ALARM_ACK'],
  [/\/alarm\/:\w+\/clear$/, 'ALARM_CLEAR'],
  [/\/alarm\/:\w+\/assign/, 'ALARM_ASSIGNED'],
  [/\/relation/, 'RELATION_ADD_OR_UPDATE'],
];

/** Name of the operation; empty for a call that the documentation does not show. */
export function operationOf({ routeOptions }: Call): string {
  const schema: { readonly operationId?: unknown } | undefined = routeOptions.schema;
  return typeof schema?.operationId === 'string' ? schema.operationId : '';
}

/** Whether the call is one of people who are not signed in yet. */
export function isSignIn(call: Call): boolean {
  return SIGN_INS.has(operationOf(call));
}

/**
 * Whether a call below `/api` is recorded: all are that may change something, also those that are not known here. The
 * devices' own calls are not; the connection log has them.
 */
export function isRecorded(call: Call): boolean {
  const url = call.routeOptions.url ?? '';
  if (!url.startsWith('/api/') || url.startsWith('/api/v1/')) return false;
  const operation = operationOf(call);
  if (operation === 'logout' || RECORDED_READS.has(operation)) return true;
  return !changesNothing(call) && !UNRECORDED.has(operation);
}

/** What the call does, in ThingsBoard's words. `updates`: the body names an entity that exists. */
export function actionOf(call: Call, updates: boolean): string {
  const operation = operationOf(call);
  const known = ACTIONS.get(operation);
  if (known !== undefined) return known;
  if (changesNothing(call)) return 'CREDENTIALS_READ';
  const url = call.routeOptions.url ?? '';
  const byPath = PATH_ACTIONS.find(([pattern]) => pattern.test(url))?.[1];
  if (byPath !== undefined)
    return call.method === 'DELETE' && byPath.startsWith('RELATION') ? 'RELATION_DELETED' : byPath;
  if (/^assign/.test(operation)) return 'ASSIGNED_TO_CUSTOMER';
  if (/^(unassign|unAssign)/.test(operation)) return 'UNASSIGNED_FROM_CUSTOMER';
  if (call.method === 'DELETE') return 'DELETED';
  return call.method === 'POST' && !updates && /^(save|create|import|add)/.test(operation) ? 'ADDED' : 'UPDATED';
}
