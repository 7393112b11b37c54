import { formatValue } from '../values/format-value.ts';
import { type Value, ValueKind } from '../values/value.ts';

/** A value that is tested: typed, or text as entity fields are. */
export type Subject = Value | string;

/** Longest text that is read as a number. */
const MAX_NUMBER_LENGTH = 64;
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** The number that a text says; null: none, or one that is out of range. */
export function asNumber(text: string): number | null {
  if (text.length > MAX_NUMBER_LENGTH) return null;
  const trimmed = text.trim();
  if (!NUMBER.test(trimmed)) return null;
  const number = Number(trimmed);
  return Number.isFinite(number) ? number : null;
}

/** A subject as text: strings and JSON as they are, numbers and Booleans as JSON. */
export function subjectText(subject: Subject): string {
  if (typeof subject === 'string') return subject;
  return typeof subject.value === 'string' ? subject.value : formatValue(subject);
}

/** A subject as a number; true is 1, text is read; null: it is none. */
export function subjectNumber(subject: Subject): number | bigint | null {
  if (typeof subject === 'string') return asNumber(subject);
  const { kind, value } = subject;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value !== 'string') return value;
  return kind === ValueKind.String ? asNumber(value) : null;
}

/** A subject as a Boolean: numbers above 0 and the text "true" are true, JSON is none (null). */
export function subjectBoolean(subject: Subject): boolean | null {
  if (typeof subject === 'string') return subject.toLowerCase() === 'true';
  const { kind, value } = subject;
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return value > 0;
  return kind === ValueKind.String ? value.toLowerCase() === 'true' : null;
}

/** The choices of a list for IN: separated by commas, blanks around them do not count, quotes around one keep its commas. */
export function choicesOf(text: string): readonly string[] {
  const entries: string[] = [];
  let entry = '';
  let quote = '';
  for (const character of text) {
    if (quote === '' && character === ',') {
      entries.push(entry.trim());
      entry = '';
    } else if (quote === '' && (character === '"' || character === "'") && entry.trim() === '') {
      quote = character;
    } else if (character === quote) {
      quote = '';
    } else {
      entry += character;
    }
  }
  entries.push(entry.trim());
  return entries;
}
