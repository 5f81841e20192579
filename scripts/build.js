/** Builds dist/: the modules (tsc), the command line in one bundle (rolldown) and the viewer (vite). */
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { ROOT, step } from "./setup.js";

const DIST = join(ROOT, "dist");
const bin = (name) => join(ROOT, "node_modules", name);

rmSync(DIST, { recursive: true, force: true });
step(process.execPath, [bin("typescript/bin/tsc"), "-p", ROOT]);
step(process.execPath, [bin("typescript/bin/tsc"), "-p", join(ROOT, "test")]);

// Everything that the command line imports is in its bundle, so that the package needs no dependencies. The bundle
// lies one folder deep, as the modules do, so that paths relative to a module hold in both.
const bundle = await rolldown({ input: join(DIST, "cli", "bin.js"), platform: "node", logLevel: "warn" });
await bundle.write({ dir: join(DIST, "bundle"), format: "esm", minify: false, chunkFileNames: "[name].js" });
await bundle.close();
writeFileSync(join(DIST, "cli.js"), '#!/usr/bin/env node\nimport "./bundle/bin.js";\n');
chmodSync(join(DIST, "cli.js"), 0o755);

step(process.execPath, [join(ROOT, "scripts", "build-viewer.js")]);
writeFileSync(join(DIST, ".built"), "");
