const NAMES =
  "Ada Bela Chidi Dana Emre Femi Grace Hugo Iris Jun Kofi Lena Mina Noor Omar Priya Quinn Rosa Sami Tova".split(" ");
const KEY = "pm-demo-user";

/** The name of whoever looks at this window, kept over reloads. */
export function visitorName(storage: Pick<Storage, "getItem" | "setItem">, random: () => number = Math.random): string {
  const name = storage.getItem(KEY) ?? NAMES[Math.floor(random() * NAMES.length)] ?? "Ada";
  storage.setItem(KEY, name);
  return name;
}
