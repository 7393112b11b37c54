/** Time, injected. Both in milliseconds. */
export interface Clock {
  /** Epoch milliseconds; may jump. */
  now(): number;
  /** Never goes back; for delays and deadlines. */
  monotonic(): number;
}

/** The event loop, injected. */
export interface Scheduler {
  /** Runs `task` once, after everything that is ready in the present turn of the event loop has been read. */
  endOfTurn(task: () => void): void;
  /** Runs `task` every `intervalMs` until the returned function is called. Never keeps a process alive. */
  every(intervalMs: number, task: () => void): () => void;
  /** Runs `task` once after `delayMs` unless the returned function is called before. */
  after(delayMs: number, task: () => void): () => void;
}

/** Cryptography, injected: core has none of its own. */
export interface Crypto {
  /** Lower-case UUID, version 4. */
  uuid(): string;
  randomBytes(length: number): Uint8Array;
  /** Hash of a person's password with its own salt and parameters, as text; off the event loop. */
  hashPassword(password: string): Promise<string>;
  verifyPassword(password: string, hash: string): Promise<boolean>;
  /** Lower-case hex. */
  sha3_256(text: string): string;
  /** A running digest; `hex` ends it and gives lower-case hex. */
  digest(algorithm: 'MD5' | 'SHA256' | 'SHA384' | 'SHA512'): { update(bytes: Uint8Array): void; hex(): string };
  /** Compares in constant time. */
  equal(a: string, b: string): boolean;
  /** Encrypts a secret for storage; the text differs every time. */
  seal(secret: string): string;
  open(sealed: string): string;
}

/** A message's stake in a commit; the broker's acknowledgement tokens are such. */
export interface Completion {
  hold(): void;
  /** Once for every `hold`. */
  release(outcome: 'stored' | 'full' | 'failed'): void;
}
