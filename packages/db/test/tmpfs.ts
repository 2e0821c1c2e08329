import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A small disk of its own, mounted on a folder. */
export class Tmpfs implements Disposable {
  readonly #folder: string;

  constructor(folder: string, bytes: number) {
    mkdirSync(folder, { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", folder], { stdio: "ignore" });
    this.#folder = folder;
  }

  /** Whether this user of this machine may mount one. */
  static isPossible(): boolean {
    const folder = mkdtempSync(join(tmpdir(), "pm-db-mount-"));
    try {
      new Tmpfs(folder, 65_536)[Symbol.dispose]();
      return true;
    } catch {
      return false;
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  /** A path on it. */
  file(name: string): string {
    return join(this.#folder, name);
  }

  [Symbol.dispose](): void {
    execFileSync("umount", [this.#folder], { stdio: "ignore" });
  }
}
