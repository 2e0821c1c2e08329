// Payloads begin with a marker, by which messages are counted, the time of sending and a sequence number. All is
// printable ASCII without quotes and backslashes, so that it can stand in JSON text as it is.

/** First bytes of every payload. */
export const MARKER = "~PMB~";

const MARKER_BYTES = Buffer.from(MARKER);
const LETTER_A = 97;
const HALF_LETTERS = 6;
const HALF = 2 ** 24;
const FILLER = "abcdefghijklmnopqrstuvwxyz";

/** Bytes of a stamp: marker, twelve letters of microseconds, six letters of a sequence number. */
export const STAMP_BYTES: number = MARKER_BYTES.length + 3 * HALF_LETTERS;

/** The largest sequence number; the next one is 0. */
export const MAX_SEQUENCE: number = HALF - 1;

/** A payload of `bytes`, at least a stamp, with the stamp left blank. */
export function blankPayload(bytes: number): string {
  const size = Math.max(bytes, STAMP_BYTES);
  const blank = MARKER + "a".repeat(3 * HALF_LETTERS);
  return blank + FILLER.repeat(Math.ceil((size - STAMP_BYTES) / FILLER.length)).slice(0, size - STAMP_BYTES);
}

/** True when a marker begins at `at`. */
export function isMarkerAt(bytes: Buffer, at: number): boolean {
  return (
    bytes[at] === 0x7e &&
    bytes[at + 1] === 0x50 &&
    bytes[at + 2] === 0x4d &&
    bytes[at + 3] === 0x42 &&
    bytes[at + 4] === 0x7e
  );
}

/** Where the next marker begins, from `from` on; −1 when there is none. */
export function findMarker(bytes: Buffer, from: number): number {
  return bytes.indexOf(MARKER_BYTES, from);
}

/** Microseconds of the stamp whose marker is at `at`. */
export function timeAt(bytes: Buffer, at: number): number {
  const high = readLetters(bytes, at + MARKER_BYTES.length);
  return high * HALF + readLetters(bytes, at + MARKER_BYTES.length + HALF_LETTERS);
}

/** Sequence number of the stamp whose marker is at `at`. */
export function sequenceAt(bytes: Buffer, at: number): number {
  return readLetters(bytes, at + MARKER_BYTES.length + 2 * HALF_LETTERS);
}

/** Writes time and sequence number behind the marker at `at`. */
export function writeStamp(target: Buffer, at: number, stamp: Stamp): void {
  const start = at + MARKER_BYTES.length;
  const time = Math.floor(stamp.timeUs);
  writeLetters(target, start, Math.floor(time / HALF) % HALF);
  writeLetters(target, start + HALF_LETTERS, time % HALF);
  writeLetters(target, start + 2 * HALF_LETTERS, stamp.sequence % HALF);
}

/** What a stamp says. */
export interface Stamp {
  /** Microseconds of any clock that reader and writer share; below 2^48. */
  readonly timeUs: number;
  readonly sequence: number;
}

function readLetters(bytes: Buffer, start: number): number {
  let value = 0;
  for (let at = start; at < start + HALF_LETTERS; at++) value = value * 16 + (((bytes[at] ?? 0) - LETTER_A) & 15);
  return value;
}

function writeLetters(target: Buffer, start: number, value: number): void {
  for (let i = HALF_LETTERS - 1, rest = value; i >= 0; i--, rest >>= 4) target[start + i] = LETTER_A + (rest & 15);
}
