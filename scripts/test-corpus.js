/** `npm run test:corpus -- DIR`: the reader against a folder of traces with the answers of Go's tools. */
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { ROOT } from "./setup.js";

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write("runtrace: want a folder: npm run test:corpus -- DIR\n");
  process.exit(2);
}
const { status } = spawnSync(process.execPath, [join(ROOT, "scripts", "test.js"), "test/corpus.test"], {
  stdio: "inherit",
  env: { ...process.env, RUNTRACE_CORPUS: resolve(folder) },
});
process.exitCode = status ?? 1;
