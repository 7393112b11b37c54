import type { Json } from '@moorage/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matches } from './event-rule.ts';
import { depthOf, MAXIMUM_DEPTH } from './json-parts.ts';
import { readPayload } from './payload.ts';
import { parseTime } from './times.ts';

const encoder = new TextEncoder();
const mode = fc.constantFrom('json', 'legacy', 'state', 'binary' as const);
/** Texts made of what the readers look at. */
const scrap = fc
  .array(
    fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      '\\',
      ':',
      ',',
      '=',
      '&',
      '%',
      '+',
      '-',
      '.',
      '0',
      '7e9',
      'null',
      'a',
      ' ',
    ),
  )
  .map((parts) => parts.join(''));
const payload = fc.oneof(
  scrap.map((text) => encoder.encode(text)),
  fc.json().map((text) => encoder.encode(text)),
  fc.string().map((text) => encoder.encode(text)),
  fc.uint8Array({ maxLength: 200 }),
);

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

describe('hostile payloads', () => {
  it('are read as an object that is told the same twice, or not at all', () => {
    fc.assert(
      fc.property(mode, payload, (one, bytes) => {
        const outcome = readPayload(one, bytes, textOf(bytes));
        if (typeof outcome === 'string') return;
        const stored: Record<string, Json> = JSON.parse(outcome.text);
        expect(new Set(outcome.value.keys())).toEqual(new Set(Object.keys(stored).map((name) => name.toWellFormed())));
        expect(depthOf(outcome.text)).toBeLessThanOrEqual(MAXIMUM_DEPTH);
        for (const value of outcome.value.values()) expect(value).not.toBe(Number.POSITIVE_INFINITY);
      }),
      { numRuns: 2000 },
    );
  });

  it('of JSON objects are stored as what they say', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), fc.nat(4), (object, spaces) => {
        const text = JSON.stringify(object, null, spaces);
        const outcome = readPayload('json', encoder.encode(text), text);
        expect(typeof outcome === 'string' ? outcome : JSON.parse(outcome.text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('do not stop an event rule', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.constantFrom('<', '=', '!=' as const),
        fc.string(),
        fc.json(),
        (source, operator, threshold, text) => {
          expect(typeof matches({ source, operator, threshold }, text).matched).toBe('boolean');
        },
      ),
    );
  });

  it('do not keep a reader busy', () => {
    const long = 65_536;
    for (const part of ['=', '&', 'a=', '%', '%41', '+', '"', '\\', '{"a":', '[', '0', '-', 'a', ' ', '\u00e9']) {
      const text = part.repeat(Math.floor(long / encoder.encode(part).length));
      for (const one of ['json', 'legacy', 'state'] as const) {
        const startedAt = performance.now();
        readPayload(one, encoder.encode(text), text);
        expect(performance.now() - startedAt, `${one} ${part}`).toBeLessThan(1000);
      }
    }
  });
});

describe('hostile times', () => {
  it('are epoch milliseconds or nothing', () => {
    const digits = fc
      .array(fc.constantFrom('2', '0', '1', '-', ':', ' ', 'T', '+', 'Z', '.'))
      .map((all) => all.join(''));
    fc.assert(
      fc.property(fc.oneof(digits, fc.string()), fc.constantFrom('start', 'end' as const), (text, edge) => {
        const at = parseTime(text, 'Europe/Berlin', edge);
        expect(at === undefined || Number.isSafeInteger(at)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
