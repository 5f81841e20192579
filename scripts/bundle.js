/**
 * Bundles what the package ships, so that it needs no dependencies and a start of a recorded process reads few files:
 *
 * * the entry points and what `run` preloads, with one file that all share (so that they share one recorder), what only
 *   /debug/pprof needs beside it, and the tracer thread, in place of their modules;
 * * the loader's hooks for Node's loader thread, and its compiler with its parser, which is loaded only when needed;
 * * the command line, one folder deep as its modules are;
 * * the declarations that the entry points' types reach.
 *
 * Every bundle lies at the depth of its modules, and the recorder's in their folder: paths relative to a module hold,
 * and our own frames are known by the folder.
 */
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { rolldown } from "rolldown";

/** Bundles the modules that tsc has put into the folder `dist`. */
export async function bundlePackage(dist) {
  const isPprof = (id) => dirname(id) === join(dist, "pprof-http");
  const isProfile = (id) => /[\\/](?:pprof-format|profile-format\.js)/.test(id);
  const isRecorder = (id) => dirname(id) !== dist && !isPprof(id) && !isProfile(id);
  const frameworks = ["express", "fastify", "koa", "hono", "otel"];
  const entries = ["index", "register", "pprof", "pprof-auto", "node-test", "mocha", "vitest", ...frameworks];
  await bundle(
    entries.map((name) => `${name}.js`),
    dist,
    {
      dir: dist,
      chunkFileNames: "recorder/[name].js",
      codeSplitting: {
        groups: [
          // What others import comes first: a group takes along what its modules import.
          { name: "recorder", test: isRecorder, priority: 2 },
          { name: "pprof-profile", test: isProfile, priority: 1 },
          { name: "pprof", test: isPprof },
        ],
      },
    },
  );
  // In the contexts in which jest runs tests there is nothing but CommonJS.
  await bundle(["jest.js"], dist, { dir: dist, format: "cjs", entryFileNames: "[name].cjs" });
  rmSync(join(dist, "jest.js"));
  await bundle(["reader.js"], dist, { dir: dist });
  // In Node's thread of module hooks there is nothing to record, and Node 22 cannot require an ES module.
  const preload = `const { isMainThread, parentPort } = require("node:worker_threads");
if (isMainThread || parentPort !== null) require("./register.js");
`;
  writeFileSync(join(dist, "preload.cjs"), preload);
  // In several files: what loads the inspector is loaded only where CPU samples are asked for. A thread that begins
  // with an ES module begins 8 ms later.
  await bundle(["recorder/tracer.js"], dist, {
    dir: join(dist, "recorder"),
    format: "cjs",
    entryFileNames: "[name].cjs",
    chunkFileNames: "tracer-[name].cjs",
  });
  await bundle(["loader/thread.js"], dist, { dir: join(dist, "loader") });
  // Loaded past the program's module loader, which knows CommonJS only.
  await bundle(["loader/compiler.js"], dist, {
    dir: join(dist, "loader"),
    format: "cjs",
    entryFileNames: "[name].cjs",
  });
  await bundle(["cli/bin.js"], dist, { dir: join(dist, "bundle"), chunkFileNames: "[name].js" });
  writeFileSync(join(dist, "cli.js"), '#!/usr/bin/env node\nimport "./bundle/bin.js";\n');
  chmodSync(join(dist, "cli.js"), 0o755);
  copyTypes(
    dist,
    [...entries, "jest", "reader"].map((name) => `${name}.d.ts`),
  );
}

/** Licenses stay; what explains the code takes a seventh of the time of loading it. */
const COMMENTS = { legal: true, annotation: false, jsdoc: false };

async function bundle(names, dist, output) {
  const input = names.map((name) => join(dist, name));
  const built = await rolldown({ input, platform: "node", logLevel: "warn", plugins: [builtinsDirectly] });
  await built.write({
    format: "esm",
    minify: false,
    comments: COMMENTS,
    entryFileNames: "[name].js",
    ...output,
  });
  await built.close();
}

/**
 * Takes Node's own modules without the loader's help: for each one imported it makes a module of a module, and reads
 * every property for it, which loads what nobody asked for. That is 9 ms of a start.
 */
const builtinsDirectly = {
  name: "builtins-directly",
  renderChunk(code, _chunk, { format }) {
    if (format !== "es") return null;
    return code.replaceAll(
      /^import (?:\* as )?([\w$]+)?(?:, )?(?:\{([^}]*)\})? from "(node:[\w/]+)";$/gm,
      (_, whole, names, id) => {
        const module = `process.getBuiltinModule("${id}")`;
        const taken = names === undefined ? [] : [`{${names.replaceAll(" as ", ": ")}} = ${whole ?? module}`];
        if (whole !== undefined) taken.unshift(`${whole} = ${module}`);
        return `const ${taken.join(", ")};`;
      },
    );
  },
};

/** Copies the declarations `names` and all that they import into dist/types. */
function copyTypes(dist, names) {
  const files = new Set(names);
  for (const name of files) {
    // What TypeScript refuses in a program's declarations as well.
    const text = readFileSync(join(dist, name), "utf8").replace('export * from "node:test";\n', "");
    const copied = text.replaceAll(/(from "|import\(")(\.[^"]+)\.ts"/g, (_, before, specifier) => {
      files.add(join(dirname(name), `${specifier}.d.ts`));
      return `${before}${specifier}.js"`;
    });
    const to = join(dist, "types", name);
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, copied);
  }
}
