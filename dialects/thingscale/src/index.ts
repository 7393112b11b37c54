export type * from './data/account-data.ts';
export { Accounts } from './data/accounts.ts';
export { WEBHOOK_KIND } from './data/webhook-kind.ts';
export { thingscaleHttpRoutes } from './http/routes.ts';
export { commandSender } from './mqtt/commands.ts';
export { ThingscaleDialect, type ThingscaleDialectOptions } from './mqtt/dialect.ts';
export type * from './ports.ts';
