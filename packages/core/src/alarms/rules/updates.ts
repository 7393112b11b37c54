import type { AttributeScope } from '../../ports/telemetry-store.ts';
import type { PointList } from '../../values/point-list.ts';
import type { Value } from '../../values/value.ts';
import type { ProfileRules, Slot } from './alarm-rule.ts';
import type { PointGroup } from './load-device.ts';

/** Something that rules of a device are to be asked about. */
export type Update =
  | { readonly kind: 'series'; readonly points: PointList }
  | { readonly kind: 'group'; readonly group: PointGroup; readonly replay: boolean }
  | { readonly kind: 'attributes'; readonly scope: AttributeScope; readonly values: ReadonlyMap<string, Value | null> }
  | { readonly kind: 'changed'; readonly slots: ReadonlySet<Slot> }
  | { readonly kind: 'timer' }
  /** Nothing to judge: what is remembered is to be stored now. */
  | { readonly kind: 'save' };

/** The points of a message that rules look at, by their time, ascending. */
export function groupsOf(
  points: PointList,
  rules: ProfileRules,
  skip: (key: string, ts: number, value: Value) => boolean,
): PointGroup[] {
  const groups = new Map<number, Map<string, Value>>();
  for (let i = 0; i < points.length; i++) {
    const [key, kind, value, ts] = [points.keys[i], points.kinds[i], points.values[i], points.ts[i]];
    if (key === undefined || kind === undefined || value === undefined || ts === undefined) continue;
    if (!rules.seriesKeys.has(key) || skip(key, ts, { kind, value })) continue;
    const group = groups.get(ts);
    if (group === undefined) groups.set(ts, new Map([[key, { kind, value }]]));
    else group.set(key, { kind, value });
  }
  return [...groups].map(([ts, values]) => ({ ts, values: [...values] })).sort((a, b) => a.ts - b.ts);
}
