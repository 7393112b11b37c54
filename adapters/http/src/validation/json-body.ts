import type { FastifyInstance } from 'fastify';
import { RequestRefusal } from '../refusals/request-refusal.ts';

/** Levels of arrays and objects in a body. reliability.md, 8 */
export const MAX_JSON_DEPTH = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** True if the text opens more than `limit` arrays and objects inside one another. Reads the text once. */
export function isDeeperThan(text: string, limit: number): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === QUOTE) {
      for (i++; i < text.length; i++) {
        const inner = text.charCodeAt(i);
        if (inner === BACKSLASH) i++;
        else if (inner === QUOTE) break;
      }
    } else if (unit === OPEN_BRACE || unit === OPEN_BRACKET) {
      depth++;
      if (depth > limit) return true;
    } else if (unit === CLOSE_BRACE || unit === CLOSE_BRACKET) depth--;
  }
  return false;
}

/** Reads JSON bodies and nothing else. An empty body is undefined: some clients announce JSON and send nothing. */
export function acceptJsonBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    const text = String(body);
    if (text.trim() === '') return done(null, undefined);
    if (isDeeperThan(text, MAX_JSON_DEPTH)) {
      return done(new RequestRefusal(400, 31, `The JSON is nested deeper than ${MAX_JSON_DEPTH} levels`));
    }
    parse(request, text, (error, value) => {
      done(error === null ? null : new RequestRefusal(400, 31, 'The body is not valid JSON'), value);
    });
  });
  acceptNoBodies(app);
}

/** A request that announces a type and sends nothing has no body: axios says `x-www-form-urlencoded` of every bare POST. */
export function acceptNoBodies(app: FastifyInstance): void {
  app.addContentTypeParser('*', (request, payload, done) => {
    const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
    // RFC 9112, 6.3: without both fields a request has no body.
    if (encoding !== undefined || Number(length ?? 0) !== 0) {
      return done(new RequestRefusal(415, 31, 'The content type is not supported: send application/json'), undefined);
    }
    payload.resume();
    done(null, undefined);
  });
}

/** Hands bodies of any content type to the handler as bytes. */
export function acceptAnyBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
}
