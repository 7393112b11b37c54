import type { FastifyInstance } from 'fastify';
import { RequestRefusal } from '../refusals/request-refusal.ts';
import { isDeeperThan, MAX_JSON_DEPTH } from './json-body.ts';

/**
 * Reads JSON objects as bodies and keeps their text: the answered function gives it for a body, since a parsed one has
 * lost the digits of large numbers. Bodies that are no objects are left to the validator.
 */
export function acceptJsonTexts(app: FastifyInstance): (body: object) => string {
  const texts = new WeakMap<object, string>();
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    const text = String(body);
    if (text.trim() === '') return done(null, undefined);
    if (isDeeperThan(text, MAX_JSON_DEPTH)) {
      return done(new RequestRefusal(400, 31, `The JSON is nested deeper than ${MAX_JSON_DEPTH} levels`));
    }
    parse(request, text, (error, value) => {
      if (error !== null) return done(new RequestRefusal(400, 31, 'The body is not valid JSON'));
      if (typeof value === 'object' && value !== null) texts.set(value, text);
      done(null, value);
    });
  });
  return (body) => texts.get(body) ?? '{}';
}
