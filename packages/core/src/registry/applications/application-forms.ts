import type { DialectId } from '../../model/entities.ts';
import type { ApplicationForm } from './application-form.ts';
import { PLAIN_FORM } from './plain-form.ts';
import { SENSORO_FORM } from './sensoro-form.ts';
import { THINGSCALE_FORM } from './thingscale-form.ts';
import { WAVESHARE_FORM } from './waveshare-form.ts';

const FORMS: readonly ApplicationForm[] = [PLAIN_FORM, SENSORO_FORM, THINGSCALE_FORM, WAVESHARE_FORM];

/** The dialects that have applications. */
export const APPLICATION_DIALECTS: readonly DialectId[] = FORMS.map(({ dialect }) => dialect);

/** undefined: there are no applications of this dialect. */
export function formOf(dialect: DialectId): ApplicationForm | undefined {
  return FORMS.find((form) => form.dialect === dialect);
}
