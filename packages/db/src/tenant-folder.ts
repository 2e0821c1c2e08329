import { parseTenantId } from "@pm/core";

/**
 * The name of a tenant's folder: its id in lower case, and, where that changed a letter, `+` and the places of the
 * upper-case letters as a hexadecimal number, the first place being the lowest bit: `acme` is `acme`, `Acme` is
 * `acme+1`, `ACME` is `acme+f`. Ids never contain `+`, so no two ids share a name, on file systems that ignore case
 * too, as long as those keep a dot at the end of a name. Only `a-z 0-9 . _ - +`, beginning with a letter or digit, 161
 * characters at most: it cannot climb.
 * @throws NameError `INVALID_NAME` for anything that is not a tenant id, whatever the type says.
 */
export function tenantFolder(tenant: string): string {
  const id = parseTenantId(tenant);
  let places = 0n;
  for (let at = 0; at < id.length; at++) {
    if (isUpperCase(id.charCodeAt(at))) places |= 1n << BigInt(at);
  }
  return places === 0n ? id : `${id.toLowerCase()}+${places.toString(16)}`;
}

function isUpperCase(charCode: number): boolean {
  return charCode >= 65 && charCode <= 90;
}
