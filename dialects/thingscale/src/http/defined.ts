/** The members that were given, without those that were not. */
export function defined<T extends object>(members: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  const given: { [Name in keyof T]?: Exclude<T[Name], undefined> } = {};
  for (const name in members) {
    const value = members[name];
    if (isGiven(value)) given[name] = value;
  }
  return given;
}

function isGiven<V>(value: V): value is Exclude<V, undefined> {
  return value !== undefined;
}
