/** Builds dist/: the modules (tsc), what the package ships (bundle.js) and the viewer (vite). */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundlePackage } from "./bundle.js";
import { ROOT, step } from "./setup.js";

const DIST = join(ROOT, "dist");
const bin = (name) => join(ROOT, "node_modules", name);

rmSync(DIST, { recursive: true, force: true });
step(process.execPath, [bin("typescript/bin/tsc"), "-p", ROOT]);
step(process.execPath, [bin("typescript/bin/tsc"), "-p", join(ROOT, "test")]);

await bundlePackage(DIST);
step(process.execPath, [join(ROOT, "scripts", "build-viewer.js")]);
writeFileSync(join(DIST, ".built"), "");
