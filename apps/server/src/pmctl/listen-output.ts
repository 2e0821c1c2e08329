import type { Publication } from "@pm/proto";
import { showable } from "../logging/plain-text.ts";
import type { Gap } from "./channel-cursor.ts";
import { gapJson, gapText, publicationJson, publicationText } from "./message-lines.ts";
import type { Position } from "./position-option.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Where a Listener writes: what the logs say on the standard output, what the connection does on the standard error.
 */
export class ListenOutput {
  readonly #terminal: Terminal;
  readonly #json: boolean;

  constructor(terminal: Terminal, { json }: { readonly json: boolean }) {
    this.#terminal = terminal;
    this.#json = json;
  }

  /** False: the reader is behind. */
  publication(publication: Publication, position: Position): boolean {
    const line = this.#json
      ? publicationJson(publication, position)
      : publicationText(publication, this.#terminal.paint);
    return this.#terminal.out(line);
  }

  gap(gap: Gap): void {
    this.#terminal.out(this.#json ? gapJson(gap) : gapText(gap, this.#terminal.paint));
  }

  note(text: string): void {
    this.#terminal.note(showable(text), "dim");
  }

  drained(): Promise<void> {
    return this.#terminal.drained();
  }
}
