import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from './run-tool.ts';
import { findCycle, readSources, type SourceFile, workspaceOf } from './structure.ts';

/** What each folder may import from the repository, as in docs/architecture.md. Third-party packages: `dependencies`. */
const ALLOWED: Record<string, readonly string[]> = {
  'packages/mqtt-codec': [],
  'packages/mqtt-broker': ['@moorage/mqtt-codec'],
  'packages/core': [],
  'packages/dialect-api': ['@moorage/core', '@moorage/mqtt-codec'],
  'packages/device-host': ['@moorage/core', '@moorage/dialect-api', '@moorage/mqtt-broker'],
  'packages/api-types': [],
  'packages/testkit': ['@moorage/core', '@moorage/dialect-api', '@moorage/mqtt-broker', '@moorage/mqtt-codec'],
  'dialects/*': ['@moorage/core', '@moorage/dialect-api'],
  'adapters/store-sqlite': ['@moorage/core', '@moorage/mqtt-broker'],
  'adapters/blob-files': ['@moorage/core'],
  'adapters/coap': ['@moorage/core', '@moorage/dialect-api'],
  'adapters/listeners': ['@moorage/mqtt-broker'],
  'adapters/webhook': ['@moorage/core'],
  'adapters/http': ['@moorage/api-types', '@moorage/core', '@moorage/dialect-api'],
};
const NO_NODE = [
  'packages/mqtt-codec',
  'packages/mqtt-broker',
  'packages/core',
  'packages/dialect-api',
  'packages/device-host',
  'packages/api-types',
  'dialects/',
];
/** Tables of data, free of the length limit. */
const DATA_TABLES: readonly string[] = ['tools/mqtt-clauses.ts'];
const MAX_LINES = 600;

const folders = ['packages', 'dialects', 'adapters', 'apps', 'bench', 'tools', 'test'];
const files = readSources(repositoryRoot, folders);
/** Tests and benchmarks may use more than what ships. */
const isTest = (file: SourceFile) =>
  /\.(test|child)\.ts$/.test(file.path) || /^[^/]+\/[^/]+\/(bench|src\/(.+\/)?testing)\//.test(file.path);
const allowedFor = (workspace: string): readonly string[] | undefined =>
  ALLOWED[workspace] ?? (workspace.startsWith('dialects/') ? ALLOWED['dialects/*'] : undefined);

describe('structure', () => {
  it('relative imports name the file with its ending', () => {
    const wrong = files.flatMap((file) =>
      file.imports
        .filter((name) => name.startsWith('.') && !/\.(tsx?|json|js)$/.test(name))
        .map((name) => `${file.path}: ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  it('relative imports stay inside their package', () => {
    const wrong = files.flatMap((file) =>
      file.imports
        .filter((name) => name.startsWith('.') && workspaceOf(join(file.path, '..', name)) !== workspaceOf(file.path))
        .filter(() => ['packages', 'dialects', 'adapters', 'apps'].includes(file.path.split('/')[0] ?? ''))
        .map((name) => `${file.path}: ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  it('packages are used through their index', () => {
    const wrong = files.flatMap((file) =>
      file.imports.filter((name) => /^(@moorage\/[^/]+|moorage)\/./.test(name)).map((name) => `${file.path}: ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  it('arrows point inward', () => {
    const wrong = files
      .filter((file) => !isTest(file))
      .flatMap((file) => {
        const allowed = allowedFor(workspaceOf(file.path));
        if (allowed === undefined) return [];
        return file.imports
          .filter((name) => name.startsWith('@moorage/') && !allowed.includes(name))
          .map((name) => `${file.path}: ${name}`);
      });
    expect(wrong).toEqual([]);
  });

  it('a dialect imports no other dialect, also in tests', () => {
    const wrong = files
      .filter((file) => file.path.startsWith('dialects/'))
      .flatMap((file) =>
        file.imports.filter((name) => name.startsWith('@moorage/dialect-') && name !== '@moorage/dialect-api'),
      );
    expect(wrong).toEqual([]);
  });

  it('pure packages import nothing from Node and nothing from outside', () => {
    const wrong = files
      .filter((file) => !isTest(file) && NO_NODE.some((folder) => file.path.startsWith(folder)))
      .flatMap((file) =>
        file.imports
          .filter((name) => !name.startsWith('.') && !name.startsWith('@moorage/'))
          .filter((name) => !(file.path.startsWith('packages/api-types') && name === 'typebox'))
          .filter((name) => !(file.path.startsWith('dialects/thingsboard') && name === 'protobufjs'))
          .filter((name) => !(file.path.startsWith('dialects/thingscale') && name === '@msgpack/msgpack'))
          .map((name) => `${file.path}: ${name}`),
      );
    expect(wrong).toEqual([]);
  });

  it('only apps/server reads the environment', () => {
    const wrong = files
      .filter((file) => !isTest(file) && /^(packages|dialects|adapters)\//.test(file.path))
      .filter((file) => /\bprocess\.(env|argv)\b/.test(readFileSync(join(repositoryRoot, file.path), 'utf8')))
      .map((file) => file.path);
    expect(wrong).toEqual([]);
  });

  it('there is no cycle between packages', () => {
    const edges = new Map<string, Set<string>>();
    for (const file of files) {
      if (isTest(file)) continue;
      const from = workspaceOf(file.path);
      for (const name of file.imports) {
        if (!name.startsWith('@moorage/')) continue;
        const to =
          name.startsWith('@moorage/dialect-') && name !== '@moorage/dialect-api'
            ? `dialects/${name.slice('@moorage/dialect-'.length)}`
            : (['packages', 'adapters']
                .map((folder) => name.replace('@moorage', folder))
                .find((path) => files.some((f) => f.path.startsWith(`${path}/`))) ?? name);
        edges.set(from, (edges.get(from) ?? new Set()).add(to));
      }
    }
    expect(findCycle(edges)).toBeUndefined();
  });

  it('third-party packages are declared where they are used', () => {
    const wrong = files
      .filter((file) => /^(packages|dialects|adapters|apps)\//.test(file.path) && !isTest(file))
      .flatMap((file) => {
        const manifest = JSON.parse(
          readFileSync(join(repositoryRoot, workspaceOf(file.path), 'package.json'), 'utf8'),
        ) as {
          dependencies?: Record<string, string>;
        };
        return file.imports
          .filter((name) => !name.startsWith('.') && !name.startsWith('node:'))
          .map((name) =>
            name
              .split('/')
              .slice(0, name.startsWith('@') ? 2 : 1)
              .join('/'),
          )
          .filter((name) => manifest.dependencies?.[name] === undefined)
          .map((name) => `${file.path}: ${name}`);
      })
      .filter((line) => !(line.startsWith('packages/testkit/') && line.endsWith(': vitest')));
    expect([...new Set(wrong)]).toEqual([]);
  });

  it(`no file has more than ${MAX_LINES} lines`, () => {
    const long = files
      .filter((file) => file.lines > MAX_LINES && !DATA_TABLES.includes(file.path))
      .map((file) => `${file.path}: ${file.lines}`);
    expect(long).toEqual([]);
  });

  it('nine files of ten have at most 400 lines, half of them at most 150', () => {
    const lengths = files
      .filter((file) => !isTest(file))
      .map((file) => file.lines)
      .sort((a, b) => a - b);
    expect(lengths[Math.floor(lengths.length * 0.9)] ?? 0).toBeLessThanOrEqual(400);
    expect(lengths[Math.floor(lengths.length * 0.5)] ?? 0).toBeLessThanOrEqual(150);
  });
});
