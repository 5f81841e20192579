import { existsSync, readFileSync } from "node:fs";

/** The version of the package that this file belongs to: package.json lies one or more folders above it. */
export function packageVersion(): string {
  for (let folder = new URL("./", import.meta.url); ; folder = new URL("../", folder)) {
    const file = new URL("package.json", folder);
    if (existsSync(file)) {
      const manifest = JSON.parse(readFileSync(file, "utf8")) as { name?: unknown; version?: unknown };
      if (manifest.name === "runtrace") return String(manifest.version);
    }
    if (folder.pathname === "/")
      throw new Error("got no package.json of runtrace above the program, want one");
  }
}
