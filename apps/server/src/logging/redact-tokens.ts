const REDACTED = "[redacted]";
/** Runs of the characters of a token and its dots. */
const DOTTED_RUN = /[\w.-]{11,}/g;
/** `{"`, `{ ` and `{` with a line break or tab, in base64url: how the header of a JWT begins. */
const HEADER = /e(?:y[ABIJ]|w[0ko])[\w-]{8}/;
/** Beside its header, a JWT is known by the lengths of its parts; host names and versions do not have them. */
const MIN_HEADER = 10;
const MIN_PAYLOAD = 16;
const MIN_SIGNATURE = 32;
/** After a header that does not begin its part, this much makes a token. */
const MIN_CUT_PAYLOAD = 8;
const BEARER = /(bearer\s+)([^\s"']+)/gi;
/** What follows "bearer" in a sentence: a short word in small letters. */
const ORDINARY_WORD = /^[a-z]{1,12}[.,;:)]?$/;

/**
 * Takes out of a text whatever looks like a JWT, whole or cut, and whatever follows `Bearer`. Time is proportional to
 * the length.
 */
export function redactTokens(text: string): string {
  const withoutJwts = text.replace(DOTTED_RUN, redactRun);
  if (!/bearer/i.test(withoutJwts)) return withoutJwts;
  return withoutJwts.replace(BEARER, (whole, scheme: string, credential: string) =>
    scheme.startsWith("b") && ORDINARY_WORD.test(credential) ? whole : `${scheme}${REDACTED}`,
  );
}

/** Keeps what stands before the token, as the `pm.v1.bearer.` of a subprotocol. */
function redactRun(run: string): string {
  const parts = run.split(".");
  let start = 0;
  for (const [index, part] of parts.entries()) {
    const at = tokenStart(part, parts[index + 1] ?? "", parts[index + 2] ?? "");
    if (at !== undefined) return `${run.slice(0, start + at)}${REDACTED}`;
    start += part.length + 1;
  }
  return run;
}

/** Where in its first part a token begins. */
function tokenStart(part: string, payload: string, signature: string): number | undefined {
  const header = HEADER.exec(part);
  if (header !== null && (header.index === 0 || payload.length >= MIN_CUT_PAYLOAD)) return header.index;
  const isLong = part.length >= MIN_HEADER && payload.length >= MIN_PAYLOAD && signature.length >= MIN_SIGNATURE;
  return isLong ? 0 : undefined;
}
