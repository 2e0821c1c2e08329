/** Environment variables by name. A blank one counts as absent. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** True where the environment says something. */
export function isGiven(name: string, env: Environment): boolean {
  return (env[name] ?? "").trim() !== "";
}
