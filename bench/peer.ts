/** A broker under the load generator: its own process, on the first core. */
export interface Peer {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  start(): Promise<void>;
  stop(): Promise<void>;
}
