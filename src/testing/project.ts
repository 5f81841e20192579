import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The project's folder, found from this module upwards, so that it holds for any build folder inside it. */
export function projectRoot(): string {
  for (let folder = new URL("./", import.meta.url); ; folder = new URL("../", folder)) {
    if (existsSync(new URL("package.json", folder))) return fileURLToPath(folder);
    if (folder.pathname === "/") throw new Error("got no package.json above this module, want one");
  }
}
