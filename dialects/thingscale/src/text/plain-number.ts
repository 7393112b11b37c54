const PLAIN = /^([+-]?)0*(\d*)(?:\.(\d*))?([eE][+-]?\d+)?$/;
const MAXIMUM_LENGTH = 400;

/**
 * JSON text of a number that a device wrote in its own way: `+23.5`, `.5`, `23.`, ` 007 `. undefined: it is none, or one
 * too large for a number of 64 bits. thingscale.md, 4.5
 */
export function plainNumber(text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed.length > MAXIMUM_LENGTH || !/\d/.test(trimmed)) return undefined;
  const [, sign, whole = '', fraction = '', exponent = ''] = PLAIN.exec(trimmed) ?? [];
  if (sign === undefined || !/^[+-]?\.?\d/.test(trimmed)) return undefined;
  const written = `${sign === '-' ? '-' : ''}${whole || '0'}${fraction && `.${fraction}`}${exponent}`;
  return Number.isFinite(Number(written)) ? written : undefined;
}
