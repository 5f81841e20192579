import { join } from "node:path";
import { projectRoot } from "./project.ts";

/** Path of a file or folder below test/fixtures, wherever the emitted tests lie inside the checkout. */
export function fixture(path: string): string {
  return join(projectRoot(), "test", "fixtures", path);
}
