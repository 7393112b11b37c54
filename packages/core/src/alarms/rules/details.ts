import type { Json } from '../../model/entities.ts';
import { subjectText } from '../../predicates/subject.ts';
import { withDetail } from '../alarm-collection.ts';
import type { AlarmRule } from './alarm-rule.ts';
import type { Snapshot } from './snapshot.ts';

const VARIABLE = /\$\{([^{}]{1,255})\}/g;
/** A text in details is cut here; values are the device's and may be long. */
const MAX_LENGTH = 20_000;
const MAX_VALUE_LENGTH = 1000;

/** Details of an alarm after a rule has decided about it; `former` where the rule says nothing of them. thingsboard-server.md, 8.2 */
export function detailsOf(rule: AlarmRule, snapshot: Snapshot, former: Json): Json {
  let details = former;
  if (rule.details !== null) details = withDetail(details, 'data', filledIn(rule, rule.details, snapshot));
  if (rule.dashboardId !== null) details = withDetail(details, 'dashboardId', rule.dashboardId);
  return details;
}

/** `${key}` becomes the value of a key that the rule looks at; anything else stays as it is. */
function filledIn(rule: AlarmRule, text: string, snapshot: Snapshot): string {
  const filled = text.replaceAll(VARIABLE, (variable, key: string) => {
    const filter = rule.filters.find((one) => one.key === key);
    const value = filter === undefined ? null : filter.slot === null ? filter.constant : snapshot.get(filter.slot);
    return value === null ? variable : subjectText(value).slice(0, MAX_VALUE_LENGTH);
  });
  return filled.slice(0, MAX_LENGTH).toWellFormed();
}
