import type { EntityId, JsonObject } from '../model/entities.ts';

export const WAVESHARE = 'waveshare';

/** Account numbers that are derived are below it. */
const DERIVED_NUMBERS = 1_000_000;

/** True for the configuration of the application that speaks for the tenant's default account. */
export function isDefaultAccount(configuration: JsonObject): boolean {
  return configuration.default === true;
}

/**
 * The number of an account in generated topics: the one in its configuration, else one that its id gives: the id of its
 * application, or of the tenant for the default account. waveshare.md, 2.1 and 4.2
 */
export function accountNumber(id: EntityId, configuration: JsonObject): string {
  const { n1 } = configuration;
  return typeof n1 === 'string' ? n1 : String(Number.parseInt(id.slice(0, 8), 16) % DERIVED_NUMBERS);
}
