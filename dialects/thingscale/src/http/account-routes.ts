import type { DeviceHttpAnswer } from '@moorage/dialect-api';
import type { AccountSettings } from '../data/account-data.ts';
import { formatTime } from '../text/times.ts';
import { isZoneName } from '../text/zone.ts';
import { error, json } from './answers.ts';
import { BodyReader, bodyMembers } from './body-members.ts';
import { defined } from './defined.ts';
import type { HttpSide, RestCall, RestEntry } from './rest-route.ts';

/** RFC 5321, 4.5.3.1.3, less the angle brackets. */
const MAXIMUM_EMAIL = 254;
const EMAIL = /^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u;

function userText({ application, data }: RestCall, { email, timezone }: Pick<AccountSettings, 'email' | 'timezone'>) {
  return JSON.stringify({
    user_id: application.username,
    email,
    timezone,
    device_count: data.devices().length,
    channel_count: data.channels().length,
  });
}

async function updateUser(call: RestCall): Promise<DeviceHttpAnswer> {
  const members = bodyMembers(call.request.body, call.desk);
  if (members === undefined) return error('BAD_JSON_FORMAT');
  const body = new BodyReader(members);
  const email = body.text('email', MAXIMUM_EMAIL);
  const timezone = body.text('timezone');
  const isBad =
    (email !== undefined && email !== '' && !EMAIL.test(email)) || (timezone !== undefined && !isZoneName(timezone));
  if (isBad) return error('BAD_JSON_FORMAT');
  const changes = defined({ email, timezone });
  const outcome = await call.data.changeAccount(changes);
  return outcome === 'done' ? json(200, userText(call, { ...call.data.settings, ...changes })) : error(outcome);
}

/** The session and user services. thingscale.md, 2.4 and 4.8 */
export function accountRoutes(server: HttpSide): readonly RestEntry[] {
  return [
    {
      method: 'GET',
      path: '/v2/session',
      handle({ applicationId, data }) {
        const sessions = server.sessions(applicationId).map((session) => ({
          client_id: session.clientId,
          ipaddress: session.remoteAddress,
          clean_sess: session.cleanStart,
          proto_ver: session.level,
          keepalive: session.keepAlive,
          connected_at: formatTime(session.connectedAt, data.settings.timezone),
        }));
        return json(200, JSON.stringify(sessions));
      },
    },
    { method: 'GET', path: '/v2/user', handle: (call) => json(200, userText(call, call.data.settings)) },
    { method: 'PUT', path: '/v2/user', handle: updateUser },
  ];
}
