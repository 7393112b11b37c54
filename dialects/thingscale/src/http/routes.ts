import type { DeviceHttpRoute } from '@moorage/dialect-api';
import type { SendCommand } from '../data/account-data.ts';
import { accountRoutes } from './account-routes.ts';
import { CHANNEL_ROUTES } from './channel-routes.ts';
import { connectorRoutes } from './connector-routes.ts';
import { DEVICE_ROUTES } from './device-routes.ts';
import { EVENT_ROUTES } from './event-routes.ts';
import { publishRoutes } from './publish-routes.ts';
import { type HttpAccounts, type HttpSide, restRoutes } from './rest-route.ts';
import { streamRoutes } from './stream-routes.ts';

/** The vendor's HTTP device connector and REST API. thingscale.md, 2.3, 2.4, 4.6 to 4.8 */
export function thingscaleHttpRoutes(
  accounts: HttpAccounts,
  server: HttpSide,
  sendCommand: SendCommand,
): readonly DeviceHttpRoute[] {
  return [
    ...connectorRoutes(accounts, server),
    ...restRoutes(accounts, server, [
      ...DEVICE_ROUTES,
      ...CHANNEL_ROUTES,
      ...streamRoutes(server),
      ...EVENT_ROUTES,
      ...publishRoutes(server, sendCommand),
      ...accountRoutes(server),
    ]),
  ];
}
