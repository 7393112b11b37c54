import type { EntityId } from '../../model/entities.ts';
import type { Predicate } from '../../predicates/predicate.ts';
import type { Value } from '../../values/value.ts';
import type { AlarmPropagation, AlarmSeverity } from '../alarm.ts';
import type { SpecificTime } from './schedule.ts';

/** Fields of a device that a condition may look at. */
export const ENTITY_FIELDS = ['name', 'type', 'label', 'createdTime'] as const;
export type EntityField = (typeof ENTITY_FIELDS)[number];

/** Name of a value inside a snapshot: its sort and its key. */
export type Slot = `series:${string}` | `attribute:${string}` | `field:${EntityField}`;

export interface RuleFilter {
  /** Key as the profile names it, for `${key}` in details. */
  readonly key: string;
  /** null: the constant. */
  readonly slot: Slot | null;
  readonly constant: Value | null;
  readonly predicate: Predicate;
}

/** When a condition that holds counts. `attribute`: takes the number from this attribute, if it is there and above 0. */
export type RuleSpec =
  | { readonly type: 'SIMPLE' }
  | {
      readonly type: 'DURATION';
      /** null: nothing but the attribute says it. In `unitMs`, as the attribute. */
      readonly amount: number | null;
      readonly unitMs: number;
      readonly attribute: string | null;
    }
  | { readonly type: 'REPEATING'; readonly amount: number | null; readonly attribute: string | null };

/** One condition with what follows from it: raising at a severity, or clearing. */
export interface AlarmRule {
  /** All of them hold. */
  readonly filters: readonly RuleFilter[];
  readonly spec: RuleSpec;
  /** null: at any time. */
  readonly schedule: SpecificTime | null;
  /** Text with `${key}`; null: none. */
  readonly details: string | null;
  readonly dashboardId: EntityId | null;
  /** What the filters look at. */
  readonly conditionSlots: ReadonlySet<Slot>;
  /** Attributes that filters or the spec are compared with. */
  readonly operandSlots: ReadonlySet<Slot>;
}

/** One alarm rule of a profile: when alarms of a type are raised, change severity, and are cleared. */
export interface AlarmDefinition extends AlarmPropagation {
  readonly id: string;
  readonly alarmType: string;
  /** Changes with the rule's text; counts and times of another one are void. */
  readonly fingerprint: string;
  /** From the worst severity down. */
  readonly createRules: readonly { readonly severity: AlarmSeverity; readonly rule: AlarmRule }[];
  readonly clearRule: AlarmRule | null;
}

/** The alarm rules of a profile, and the values that they need. */
export interface ProfileRules {
  readonly fingerprint: string;
  readonly definitions: readonly AlarmDefinition[];
  readonly seriesKeys: ReadonlySet<string>;
  readonly attributeKeys: ReadonlySet<string>;
  readonly usesFields: boolean;
}
