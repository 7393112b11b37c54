export { anonymousExposure, bindHost } from './config/exposure.ts';
export { type ConfigurationInputs, type LoadedConfiguration, loadConfiguration } from './config/load-configuration.ts';
export type { Configuration } from './config/schema.ts';
export { type DataFolder, openDataFolder } from './data/data-folder.ts';
export type { Compose, RunningServer, Runtime } from './running-server.ts';
export { NodeClock } from './runtime/node-clock.ts';
export { NodeCrypto } from './runtime/node-crypto.ts';
export { NodeScheduler } from './runtime/node-scheduler.ts';
export { EXIT, StartError } from './start-error.ts';
