import { readFileSync, writeFileSync } from 'node:fs';
import { DOCUMENT, withReference } from './reference.ts';

writeFileSync(DOCUMENT, withReference(readFileSync(DOCUMENT, 'utf8')));
