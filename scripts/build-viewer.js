// Builds the viewer: checks its types, compiles its DOM-free part for the tests, bundles the app into dist/viewer.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const viewer = path.join(root, "src/viewer");
const tsc = path.join(
  path.dirname(createRequire(import.meta.url).resolve("typescript/package.json")),
  "bin/tsc",
);

for (const project of ["tsconfig.json", "tsconfig.test.json"]) {
  const { status } = spawnSync(process.execPath, [tsc, "-p", path.join(viewer, project)], {
    stdio: "inherit",
  });
  if (status !== 0) process.exit(status ?? 1);
}

await build({
  configFile: false,
  root: viewer,
  base: "./",
  publicDir: path.join(viewer, "public"),
  logLevel: "warn",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  worker: { format: "es" },
  build: {
    outDir: path.join(root, "dist/viewer"),
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
  },
});
