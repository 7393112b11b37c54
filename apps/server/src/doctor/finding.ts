/** What one check of `doctor` found. */
export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warn' | 'fail';
  readonly message: string;
  /** What to do, or null when all is well. */
  readonly fix: string | null;
}

export const ok = (check: string, message: string): Finding => ({ check, state: 'ok', message, fix: null });
export const warn = (check: string, message: string, fix: string): Finding => ({ check, state: 'warn', message, fix });
export const fail = (check: string, message: string, fix: string): Finding => ({ check, state: 'fail', message, fix });
