import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countLines, readCsv } from './read-csv.ts';

const read = (text: string, delimiter = ',') => [...readCsv(text, delimiter)];
const cells = (text: string, delimiter = ',') => read(text, delimiter).map((record) => record.cells);
const quoted = (cell: string) => `"${cell.replaceAll('"', '""')}"`;

describe('CSV', () => {
  it('has records of cells, with any line break and any delimiter', () => {
    for (const text of ['a,b\nc,d', 'a,b\r\nc,d\r\n', 'a,b\rc,d\n']) {
      expect(cells(text)).toEqual([
        ['a', 'b'],
        ['c', 'd'],
      ]);
    }
    expect(cells('a;b,c\td', ';')).toEqual([['a', 'b,c\td']]);
    expect(cells('a\tb', '\t')).toEqual([['a', 'b']]);
    expect(cells(',a,,\n')).toEqual([['', 'a', '', '']]);
    expect(cells('')).toEqual([]);
  });

  it('has quoted cells with delimiters, quotes and line breaks', () => {
    expect(cells('"a,b","say ""hi""","two\r\nlines",""\n"",x')).toEqual([
      ['a,b', 'say "hi"', 'two\r\nlines', ''],
      ['', 'x'],
    ]);
  });

  it('may begin with a byte order mark, also before a quote', () => {
    expect(cells('\ufeffa,b')).toEqual([['a', 'b']]);
    expect(cells('\ufeff"a",b')).toEqual([['a', 'b']]);
  });

  it('numbers the lines of the file, those in quotes and the empty ones too', () => {
    const records = read('h\n\n"a\nb",c\r\n\r\nd\n');
    expect(records.map(({ line, cells: [first] }) => [line, first])).toEqual([
      [1, 'h'],
      [3, 'a\nb'],
      [6, 'd'],
    ]);
  });

  it('takes a quote inside a cell as a character', () => {
    expect(cells('5" pipe,a"b"')).toEqual([['5" pipe', 'a"b"']]);
  });

  it('loses one record to text behind a quoted cell', () => {
    const records = read('"a"b,c\nd,e');
    expect(records.map(({ fault, line }) => [line, fault])).toEqual([
      [1, 'Text follows the end of a quoted cell'],
      [2, null],
    ]);
  });

  it('loses one record to a quote that is never closed', () => {
    const records = read('a\nb,"c\nd,e\n"",f\n');
    expect(records.map(({ fault, line, cells: [first] }) => [line, fault, first])).toEqual([
      [1, null, 'a'],
      [2, 'A quote is never closed', 'b'],
      [3, null, 'd'],
      [4, null, ''],
    ]);
  });

  it('reads back whatever was written with quotes', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'ü') });
    fc.assert(
      fc.property(fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { maxLength: 6 }), (rows) => {
        const text = rows.map((row) => row.map(quoted).join(',')).join('\r\n');
        expect(cells(text)).toEqual(rows);
      }),
    );
  });

  it('ends for any text, with lines that rise and are not more than there are', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r') });
    fc.assert(
      fc.property(text, (file) => {
        const lines = read(file).map(({ line }) => line);
        for (const [index, line] of lines.entries()) expect(line).toBeGreaterThan(lines[index - 1] ?? 0);
        expect(lines.at(-1) ?? 0).toBeLessThanOrEqual(countLines(file));
      }),
      { numRuns: 2000 },
    );
  });

  it('is counted in lines as an editor does', () => {
    const counts = ['', 'a', 'a\n', 'a\nb', 'a\r\nb\r\n', '\n\n', 'a\rb'].map(countLines);
    expect(counts).toEqual([0, 1, 1, 2, 2, 2, 2]);
  });
});
