import { describe, expect, it } from 'vitest';
import { conversionFor } from './query-conversion.ts';

const convert = conversionFor({
  properties: {
    n: { type: 'integer' },
    b: { type: 'boolean' },
    id: { format: 'uuid' },
    order: { enum: ['ASC'] },
    text: { type: 'string' },
    needed: { type: 'string' },
  },
  required: ['needed'],
});
const converted = (data: Record<string, unknown>) => {
  convert(data);
  return data;
};

describe('conversion of a query', () => {
  it('turns texts into the types of the schema', () => {
    const data = { n: '-5', b: 'true', id: 'AB', order: 'asc', text: 'X', other: '5' };
    expect(converted(data)).toEqual({ n: -5, b: true, id: 'ab', order: 'ASC', text: 'X', other: '5' });
  });

  it.each(['', ' 5', '5 ', '1e2', '0x5', '1.0', '+5', 'NaN', '12345678901234567'])(
    'leaves %j, which is no integer, to the validator',
    (text) => {
      expect(converted({ n: text }).n).toBe(text === '' ? undefined : text);
    },
  );

  it.each([
    ['True', true],
    ['YES', true],
    ['1', true],
    ['False', false],
    ['off', false],
    ['0', false],
    ['2', '2'],
    ['constructor', 'constructor'],
  ])('reads the boolean %s as %s', (text, value) => {
    expect(converted({ b: text }).b).toBe(value);
  });

  it('leaves repeated parameters to the validator', () => {
    expect(converted({ n: ['1', '2'], b: ['true'], id: ['a'], order: ['x'] })).toEqual({
      n: ['1', '2'],
      b: ['true'],
      id: ['a'],
      order: ['x'],
    });
  });

  it('drops what is optional and empty only', () => {
    expect(converted({ text: '', needed: '' })).toEqual({ needed: '' });
  });
});
