import type { Registry, Result } from '@moorage/core';
import type { Configuration } from '../config/schema.ts';
import { EXIT, StartError } from '../start-error.ts';

/** Sets the administrators that the configuration names. Throws `StartError` for a password that is refused. */
export async function setAdministrators({ accounts }: Registry, configuration: Configuration): Promise<void> {
  const { adminEmail, adminPassword, sysadminEmail, sysadminPassword } = configuration;
  if (adminPassword !== null) {
    check('ADMIN', 'administrator', await accounts.setFirstAdministrator(adminEmail, adminPassword));
  }
  if (sysadminPassword !== null) {
    const result = await accounts.setSystemAdministrator(sysadminEmail, sysadminPassword);
    check('SYSADMIN', 'system administrator', result);
  }
}

function check(variable: string, who: string, result: Result<unknown>): void {
  if (result.ok) return;
  throw new StartError(`the ${who} could not be set: ${result.message}`, {
    hint: `see MOORAGE_${variable}_EMAIL and MOORAGE_${variable}_PASSWORD`,
    exitCode: EXIT.configuration,
  });
}
