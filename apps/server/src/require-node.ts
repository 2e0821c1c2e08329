/** The least version of Node: what package.json says in `engines`. Before it, SQLite does not tell of transactions. */
const LEAST = [22, 16] as const;

/** Ends the process with one line where Node is too old. To be called before anything else is imported. */
export function requireNode(program: string): void {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1])) return;
  process.stderr.write(`${program}: needs Node ${LEAST.join(".")} or newer, this is ${process.versions.node}\n`);
  process.exit(1);
}
