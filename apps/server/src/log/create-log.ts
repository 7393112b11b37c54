import { type DestinationStream, type Logger, pino } from 'pino';
import { readableLine } from './readable-line.ts';

/** Names under which a secret could get into a log line; their values are left out, one level deep as well. */
const SECRETS = [
  'password',
  'adminPassword',
  'secret',
  'token',
  'accessToken',
  'refreshToken',
  'deviceSecret',
  'deviceToken',
  'apiToken',
  'appSecret',
  'appKey',
  'authorization',
  'cookie',
];

export interface LogOptions {
  readonly level: string;
  /** Lines for people instead of JSON. */
  readonly readable: boolean;
  readonly colour: boolean;
  /** Takes one line at a time, line end included. */
  readonly write: (line: string) => void;
}

/** The log of the server: JSON lines, or readable ones on a terminal. Payloads and secrets never belong into it. */
export function createLog(options: LogOptions): Logger {
  const { level, readable, colour, write } = options;
  const destination: DestinationStream = {
    write: readable ? (line) => write(readableLine(line, colour)) : write,
  };
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`]), remove: true },
    },
    destination,
  );
}
