export type * from './commands.ts';
export type * from './connection-guide.ts';
export * from './dialect.ts';
export * from './mqtt.ts';
export type * from './principal.ts';
export * from './secret.ts';
export * from './snippets.ts';
