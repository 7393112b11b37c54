import { randomInt } from 'node:crypto';
import type { Result } from '@moorage/core';
import { Type } from 'typebox';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const RANDOM_LENGTH = 6;
const MAX_NAME_LENGTH = 255;
/** Of so many random names at least one is free. */
const MAX_ATTEMPTS = 5;
const TAKEN = 'Device with such name already exists!';

/** What is to happen when a device's name is taken. thingsboard-server.md, 2.2 */
export const NameConflictQuery = {
  nameConflictPolicy: Type.Optional(
    Type.Enum(['FAIL', 'UNIQUIFY'], {
      description: 'UNIQUIFY: a name that is taken gets an ending. FAIL if left out.',
    }),
  ),
  uniquifySeparator: Type.Optional(Type.String({ maxLength: 16, description: 'Before the ending; `_` if left out.' })),
  uniquifyStrategy: Type.Optional(Type.Enum(['RANDOM'], { description: 'How the ending is made.' })),
};

export interface NameConflict {
  readonly nameConflictPolicy?: 'FAIL' | 'UNIQUIFY';
  readonly uniquifySeparator?: string;
}

/** Saves under `name`, or under it with a random ending where that is asked for and the name is taken. */
export async function saveUniquely<T>(
  name: string,
  { nameConflictPolicy, uniquifySeparator = '_' }: NameConflict,
  save: (name: string) => Promise<Result<T>>,
): Promise<Result<T>> {
  let result = await save(name);
  if (nameConflictPolicy !== 'UNIQUIFY') return result;
  for (let attempt = 0; attempt < MAX_ATTEMPTS && !result.ok && result.message === TAKEN; attempt += 1) {
    const ending = uniquifySeparator + randomEnding();
    result = await save(name.slice(0, MAX_NAME_LENGTH - ending.length) + ending);
  }
  return result;
}

function randomEnding(): string {
  return Array.from({ length: RANDOM_LENGTH }, () => LETTERS.charAt(randomInt(LETTERS.length))).join('');
}
