/** A request that cannot be read; carried to the error handler by the server's own callbacks, which want an Error. */
export class RequestRefusal extends Error {
  readonly statusCode: number;
  /** thingsboard-server.md, 0.5 */
  readonly errorCode: number;
  /** `id`: a malformed id, which every family answers with an error object. */
  readonly subject: 'id' | 'other';

  constructor(statusCode: number, errorCode: number, message: string, subject: 'id' | 'other' = 'other') {
    super(message);
    this.name = 'RequestRefusal';
    this.subject = subject;
    this.statusCode = statusCode;
    this.errorCode = errorCode;
  }
}
