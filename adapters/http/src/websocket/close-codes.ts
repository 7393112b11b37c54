/** Why the server closes a session, and how it says so. thingsboard-server.md, 7.1 */
export interface CloseReason {
  readonly code: number;
  /** At most 123 bytes. RFC 6455, 5.5 */
  readonly reason: string;
}

export const CLOSE = {
  goingAway: { code: 1001, reason: 'The server is stopping' },
  badToken: { code: 1007, reason: 'Authentication failed' },
  badFirstMessage: { code: 1007, reason: 'Failed to parse the payload' },
  unknownPlugin: { code: 1007, reason: 'Unknown plugin' },
  noAuthInTime: { code: 1008, reason: 'Authentication timed out' },
  noAuthCmd: { code: 1008, reason: 'Auth cmd is missing' },
  signedOut: { code: 1008, reason: 'The session has ended' },
  tooManyPending: { code: 1008, reason: 'Max pending updates limit reached!' },
  tooManyCommands: { code: 1008, reason: 'Too many commands are waiting' },
  badQueryToken: { code: 1011, reason: 'Authentication failed' },
  failed: { code: 1011, reason: 'General error' },
  pingUnanswered: { code: 4500, reason: 'Ping was not answered' },
} as const satisfies Readonly<Record<string, CloseReason>>;
