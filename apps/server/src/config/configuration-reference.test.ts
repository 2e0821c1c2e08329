import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { channelKinds } from "./channel-kinds-setting.ts";
import { defaultInWords, type Setting } from "./setting.ts";
import { SETTINGS } from "./settings.ts";

const REFERENCE = readFileSync(join(import.meta.dirname, "../../../../docs/configuration.md"), "utf8");
const TABLE = Object.values(SETTINGS) as Setting<unknown>[];

function rowOf(setting: Setting<unknown>): string {
  const cells = [`\`${setting.name}\``, setting.meaning, setting.format.expected, defaultInWords(setting)];
  return `| ${cells.join(" | ")} |`;
}

function withoutPadding(row: string): string {
  return row.replace(/ +/g, " ");
}

describe("docs/configuration.md", () => {
  it("given every setting when the reference is read then its row says name, meaning, what is accepted and default", () => {
    const rows = REFERENCE.split("\n").filter((line) => line.startsWith("| `"));
    expect(rows.map(withoutPadding)).toEqual(TABLE.map(rowOf));
  });

  it("given the groups when the reference is read then each has a heading, in order", () => {
    const headings = [...REFERENCE.matchAll(/^### (?<group>.+)$/gm)].map(({ groups }) => groups?.["group"]);
    expect(headings).toEqual([...new Set(TABLE.map(({ group }) => group))]);
  });

  it("given the example of CHANNEL_KINDS when it is read then it is one", () => {
    const example = /```json\n(?<json>[\s\S]+?)```/.exec(REFERENCE)?.groups?.["json"] ?? "";
    expect(Object.keys(channelKinds.schema.parse(example).kinds)).toEqual(["project", "cursor", "tenant"]);
  });
});
