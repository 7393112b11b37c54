/**
 * Address of a worker's file beside the importing module, which may run from sources or from a bundle.
 * `name` has no extension and is unique in the repository: a bundle puts all entries into one folder.
 */
export function workerFile(importer: string, name: string): URL {
  return new URL(importer.endsWith('.ts') ? `./${name}.ts` : `./${name}.js`, importer);
}
