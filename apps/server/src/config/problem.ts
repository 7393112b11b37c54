/** Something wrong with the configuration. The server does not start with one. */
export interface ConfigurationProblem {
  /** `moorage.yaml:3:5`, `MOORAGE_MQTT__PORT`, `--mqtt-port`; null: the settings taken together. */
  readonly where: string | null;
  readonly message: string;
  /** How to put it right, or null. */
  readonly hint: string | null;
}

/** The problem in one line. */
export function formatProblem({ where, message, hint }: ConfigurationProblem): string {
  return `${where === null ? '' : `${where}: `}${message}${hint === null ? '' : ` (${hint})`}`;
}

/** Shows a wrong value in a message: short, and without control characters. */
export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
