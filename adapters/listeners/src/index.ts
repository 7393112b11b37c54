export { ListenError } from './listen-error.ts';
export type { Listener, ListenerOptions } from './listener.ts';
export { normaliseAddress } from './remote-address.ts';
export { createTcpListener } from './tcp-listener.ts';
