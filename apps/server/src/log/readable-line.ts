const COLOURS: ReadonlyMap<string, number> = new Map([
  ['trace', 90],
  ['debug', 90],
  ['info', 32],
  ['warn', 33],
  ['error', 31],
  ['fatal', 31],
]);

/** A JSON line of the log as one line for people, an error's stack below it. Control characters from outside are escaped. */
export function readableLine(json: string, colour: boolean): string {
  const entries: Map<string, unknown> = new Map(Object.entries(JSON.parse(json)));
  const take = (name: string): unknown => {
    const value = entries.get(name);
    entries.delete(name);
    return value;
  };
  const level = String(take('level'));
  const time = String(take('time')).slice(11, 23);
  const message = take('msg');
  const stack = stackOf(entries.get('err'));
  if (stack !== null) entries.delete('err');
  const fields = [...entries].map(
    ([name, value]) => `${name}=${typeof value === 'string' ? word(value) : JSON.stringify(value)}`,
  );
  const label = level.toUpperCase().padEnd(5);
  const shown = colour ? `\u001b[${COLOURS.get(level) ?? 0}m${label}\u001b[0m` : label;
  const parts = [time, shown, ...(message === undefined ? [] : [printable(String(message))]), ...fields];
  return `${parts.join(' ')}\n${stack === null ? '' : `${stack}\n`}`;
}

function stackOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('stack' in error) || typeof error.stack !== 'string')
    return null;
  return error.stack
    .split('\n')
    .map((line) => `    ${printable(line)}`)
    .join('\n');
}

function word(text: string): string {
  return /^[\w.:/@+-]+$/.test(text) ? text : JSON.stringify(text);
}

function printable(text: string): string {
  return [...text]
    .map((character) => (/\p{Cc}/u.test(character) ? JSON.stringify(character).slice(1, -1) : character))
    .join('');
}
