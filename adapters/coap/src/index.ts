export { createCoapServer } from './coap-server.ts';
export {
  type CoapEvent,
  type CoapLimits,
  type CoapServer,
  type CoapServerOptions,
  DEFAULT_COAP_LIMITS,
} from './options.ts';
