declare const crypto: { getRandomValues(array: Uint8Array<ArrayBuffer>): Uint8Array };

/** Unpredictable numbers and ids, as a port, so that tests can repeat themselves. */
export interface Randomness {
  /** 1 to 2^31 − 1, each as likely. V8 keeps larger numbers in boxes, and every delivery looks at three tags. */
  tag(): number;
  /** 128 bits as 22 characters of base64url. */
  id(): string;
  /** A UUIDv7 (RFC 9562, section 5.7) of the given time. */
  uuid(nowMs: number): string;
}

/** The time of a UUIDv7, in milliseconds since the epoch. */
export function timeOfUuid(uuid: string): number {
  return Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);
}

const POOL_BYTES = 4096;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Randomness of the machine, drawn in blocks of 4 KiB, since a call for each number costs more than the number. */
export class SystemRandomness implements Randomness {
  readonly #pool = new Uint8Array(POOL_BYTES);
  #next = POOL_BYTES;

  tag(): number {
    for (;;) {
      const at = this.#take(4);
      const tag =
        (this.#byte(at) | (this.#byte(at + 1) << 8) | (this.#byte(at + 2) << 16) | (this.#byte(at + 3) << 24)) >>> 1;
      if (tag !== 0) return tag;
    }
  }

  id(): string {
    const at = this.#take(22);
    let id = "";
    // 22 × 6 = 132 bits: the last character gives up four, so that exactly 128 are drawn.
    for (let i = 0; i < 22; i++) id += ALPHABET[this.#byte(at + i) & (i === 21 ? 0x30 : 0x3f)];
    return id;
  }

  uuid(nowMs: number): string {
    const at = this.#take(10);
    const time = Math.floor(nowMs).toString(16).padStart(12, "0");
    const version = 0x70 | (this.#byte(at) & 0x0f);
    const variant = 0x80 | (this.#byte(at + 2) & 0x3f);
    const tail =
      this.#hex(at + 4) +
      this.#hex(at + 5) +
      this.#hex(at + 6) +
      this.#hex(at + 7) +
      this.#hex(at + 8) +
      this.#hex(at + 9);
    return `${time.slice(0, 8)}-${time.slice(8)}-${HEX[version]}${this.#hex(at + 1)}-${HEX[variant]}${this.#hex(at + 3)}-${tail}`;
  }

  #take(bytes: number): number {
    if (this.#next + bytes > POOL_BYTES) {
      crypto.getRandomValues(this.#pool);
      this.#next = 0;
    }
    const at = this.#next;
    this.#next += bytes;
    return at;
  }

  #byte(at: number): number {
    return this.#pool[at] ?? 0;
  }

  #hex(at: number): string {
    return HEX[this.#byte(at)] ?? "00";
  }
}
