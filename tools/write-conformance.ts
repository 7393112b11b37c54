import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { report } from './conformance.ts';
import { repositoryRoot } from './run-tool.ts';

const text = await report(repositoryRoot);
writeFileSync(join(repositoryRoot, 'docs/conformance.md'), text);
process.stdout.write(text.slice(0, text.indexOf('\n## ')).concat('\n'));
