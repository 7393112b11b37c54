import { wanted } from './check-value.ts';
import { SETTINGS, type Setting } from './setting.ts';

/** The page whose table is generated. */
export const DOCUMENT = new URL('../../../../docs/configuration.md', import.meta.url);

const BEGIN = '<!-- settings: written by apps/server/src/config/write-reference.ts -->';
const END = '<!-- end of settings -->';

/** The page with its table of all settings made anew. */
export function withReference(page: string): string {
  const begin = page.indexOf(BEGIN) + BEGIN.length;
  return `${page.slice(0, begin)}\n${referenceTable()}\n${page.slice(page.indexOf(END))}`;
}

/** One row per setting, as Markdown. */
export function referenceTable(): string {
  const rows = SETTINGS.map((setting) => {
    const { key, schema } = setting;
    return `| \`${key}\` | ${defaultOf(setting)} | ${accepted(setting)} | ${schema.description} | ${otherNames(setting)} |`;
  });
  return ['| key | default | accepts | meaning | environment, flag |', '| --- | --- | --- | --- | --- |', ...rows].join(
    '\n',
  );
}

function defaultOf({ schema }: Setting): string {
  if (schema.default === null) return 'none';
  return Array.isArray(schema.default) ? '`[]`' : `\`${schema.default}\``;
}

function accepted({ schema }: Setting): string {
  return schema.enum === undefined ? wanted(schema) : schema.enum.map((value) => `\`${value}\``).join(', ');
}

function otherNames({ environmentName, flag, secret }: Setting): string {
  const names = [`\`${environmentName}\``];
  if (secret) names.push(`\`${environmentName}_FILE\``);
  if (flag !== null) names.push(`\`${flag}\``);
  return names.join(', ');
}
