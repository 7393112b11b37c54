/** Where a customer or a tenant is found. thingsboard-server.md, 2.6 */
export interface Contact {
  readonly country: string | null;
  readonly state: string | null;
  readonly city: string | null;
  readonly address: string | null;
  readonly address2: string | null;
  readonly zip: string | null;
  readonly phone: string | null;
  readonly email: string | null;
}

/** The contact of an entity or of a body; what is left out is null. */
export function contactOf(given: { readonly [Member in keyof Contact]?: string | null | undefined }): Contact {
  const { country, state, city, address, address2, zip, phone, email } = given;
  return {
    country: country ?? null,
    state: state ?? null,
    city: city ?? null,
    address: address ?? null,
    address2: address2 ?? null,
    zip: zip ?? null,
    phone: phone ?? null,
    email: email ?? null,
  };
}
