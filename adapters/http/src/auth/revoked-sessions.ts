/** Sessions whose tokens are void although they have not expired. */
export interface RevokedSessions {
  has(sessionId: string): boolean;
  /** Resolves when the revocation is in force. `until`: epoch milliseconds after which its last token has expired. */
  add(sessionId: string, until: number): Promise<void>;
}

const MAX_SESSIONS = 100_000;

/** Keeps the newest 100,000 revocations in memory; each is dropped once its tokens have expired anyway. */
export class RevokedSessionsInMemory implements RevokedSessions {
  private readonly untilBySession = new Map<string, number>();
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  has(sessionId: string): boolean {
    return this.untilBySession.has(sessionId);
  }

  async add(sessionId: string, until: number): Promise<void> {
    const now = this.now();
    for (const [oldest, expires] of this.untilBySession) {
      if (expires > now && this.untilBySession.size < MAX_SESSIONS) break;
      this.untilBySession.delete(oldest);
    }
    this.untilBySession.set(sessionId, until);
  }
}
