import type { DeviceHttpRoute, Dialect } from '@moorage/dialect-api';
import { EXIT, StartError } from '../start-error.ts';

type Routed = Pick<Dialect, 'manifest' | 'httpRoutes'>;

/** The HTTP routes of all dialects; throws `StartError` if two dialects declare paths that meet. recognition.md, section 7 */
export function deviceRoutes(dialects: readonly Routed[]): readonly DeviceHttpRoute[] {
  const declared: { readonly dialect: string; readonly route: DeviceHttpRoute }[] = [];
  for (const { manifest, httpRoutes = [] } of dialects) {
    for (const route of httpRoutes) {
      const other = declared.find(({ dialect, route: one }) => dialect !== manifest.id && meets(one, route));
      if (other !== undefined) throw overlap(other.dialect, other.route, manifest.id, route);
    }
    declared.push(...httpRoutes.map((route) => ({ dialect: manifest.id, route })));
  }
  return declared.map(({ route }) => route);
}

function overlap(first: string, one: DeviceHttpRoute, second: string, other: DeviceHttpRoute): StartError {
  const said = `${one.method} ${one.path} of ${first} and ${other.path} of ${second}`;
  return new StartError(`Two dialects declare HTTP paths that overlap: ${said}.`, {
    hint: 'This is a fault of the program: please report it.',
    exitCode: EXIT.configuration,
  });
}

/** Is there a request that both would answer? */
function meets(one: DeviceHttpRoute, other: DeviceHttpRoute): boolean {
  if (one.method !== other.method) return false;
  const a = one.path.split('/');
  const b = other.path.split('/');
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const [left, right] = [a[index], b[index]];
    if (left === '*' || right === '*') return true;
    if (left === undefined || right === undefined) return false;
    if (left !== right && !left.startsWith(':') && !right.startsWith(':')) return false;
  }
  return true;
}
