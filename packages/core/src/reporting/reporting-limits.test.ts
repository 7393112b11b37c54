import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../model/entities.ts';
import { reportingOf, reportingProblem } from './reporting-limits.ts';

const data = (reporting: Json): JsonObject => ({ configuration: { type: 'DEFAULT' }, moorage: { reporting } });
const FULL = { min: -5, max: 40.5, delta: 0, fastMs: 1000, slowMs: 1000 };

describe('reporting limits', () => {
  it.each([[{}], [{ temperature: {} }], [{ temperature: FULL, 'wind speed': { delta: 0.25 } }], [null]])(
    'takes %j',
    (reporting) => {
      expect(reportingProblem(data(reporting))).toBeNull();
    },
  );

  it.each([
    ['', [], 'must be an object of telemetry keys'],
    ['', 5, 'must be an object of telemetry keys'],
    ['', { ' ': {} }, 'has a key that is blank, has a null character or more than 255 characters'],
    ['', { ['k'.repeat(256)]: {} }, 'has a key that is blank, has a null character or more than 255 characters'],
    ['', Object.fromEntries(Array.from({ length: 201 }, (_, n) => [`k${n}`, {}])), 'must not have more than 200 keys'],
    ['.t', null, 'must be an object'],
    ['.t.minimum', { minimum: 5 }, 'is not one of min, max, delta, fastMs, slowMs'],
    ['.t.min', { min: '5' }, 'must be a number'],
    ['.t.max', { max: null }, 'must be a number'],
    ['.t.min', { min: 2, max: 1 }, 'must not be above max'],
    ['.t.delta', { delta: -1 }, 'must not be negative'],
    ['.t.fastMs', { fastMs: 0 }, 'must be a whole number of milliseconds above 0'],
    ['.t.slowMs', { slowMs: 1.5 }, 'must be a whole number of milliseconds above 0'],
    ['.t.fastMs', { fastMs: 2, slowMs: 1 }, 'must not be above slowMs'],
  ] satisfies [string, Json, string][])('names the member at fault: %s of %j', (path, limits, what) => {
    const reporting = path === '' ? limits : { t: limits };
    expect(reportingProblem(data(reporting))).toEqual({
      ok: false,
      code: 'badRequest',
      message: `Validation error: profileData.moorage.reporting${path} ${what}`,
    });
  });

  it('are none where nothing is said', () => {
    expect(reportingOf({})).toBeNull();
    expect(reportingOf({ moorage: 'x' })).toBeNull();
    expect(reportingOf(data({}))).toBeNull();
    expect(reportingOf(data({ t: FULL }))).toEqual({ t: FULL });
    expect(reportingProblem({ moorage: { castStrings: false } })).toBeNull();
  });
});
