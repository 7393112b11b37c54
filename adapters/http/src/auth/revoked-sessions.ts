import { type Result, success } from '@moorage/core';

/** Sessions whose tokens are void although they have not expired. */
export interface RevokedSessions {
  has(sessionId: string): boolean;
  /** `until`: epoch milliseconds after which its last token has expired. In force at once, also when it is refused. */
  add(sessionId: string, until: number): Promise<Result<null>>;
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

  async add(sessionId: string, until: number): Promise<Result<null>> {
    const now = this.now();
    for (const [oldest, expires] of this.untilBySession) {
      if (expires > now && this.untilBySession.size < MAX_SESSIONS) break;
      this.untilBySession.delete(oldest);
    }
    this.untilBySession.set(sessionId, until);
    return success(null);
  }
}
