/** Randomness as a port, so that tests can repeat themselves. */
export interface Randomness {
  /** From 0 up to, and without, 1. */
  fraction(): number;
  /** 128 bits as text of at most 64 bytes. */
  id(): string;
}

const ID_BYTES = 16;

/** The randomness of the machine. Works where `crypto.randomUUID` does not, on pages without TLS. */
export const systemRandomness: Randomness = {
  fraction: () => Math.random(),
  id: () => {
    let id = "";
    for (const byte of crypto.getRandomValues(new Uint8Array(ID_BYTES))) id += byte.toString(16).padStart(2, "0");
    return id;
  },
};
