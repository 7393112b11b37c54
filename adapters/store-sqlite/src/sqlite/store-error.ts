/** Why a store file cannot be opened or read. */
export type StoreErrorCode =
  | 'sqlite-too-old'
  | 'other-installation'
  | 'other-file'
  | 'newer-schema'
  | 'corrupt-file'
  | 'corrupt-record'
  | 'worker-stopped'
  | 'refused-query';

/** A condition of the embedded stores that a caller cannot foresee; `code` is stable, the message names the value at fault. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreError';
    this.code = code;
  }
}
