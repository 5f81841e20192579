import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { REGISTER, byTwo, contents, runNode, runRecorded, scratch } from "./program.test.util.ts";
import type { Ending } from "./program.test.util.ts";

const folder = scratch();
after(() => folder.remove());

/** Programs that must print, exit and die recorded as they do alone. */
const PROGRAMS: Readonly<Record<string, string>> = {
  order: `process.nextTick(() => console.log("tick")); Promise.resolve().then(() => console.log("micro"));
    setTimeout(() => console.log("timer"), 2); queueMicrotask(() => console.log("queued")); console.log("main");`,
  surroundings: `console.log(process.argv.slice(2), process.execArgv, process.env.NODE_OPTIONS, require.main === module,
    Object.keys(process.env).filter((name) => /^RUNTRACE_(?!OUT)/.test(name)), Object.keys(globalThis));`,
  listeners: `console.log(["exit", "SIGINT", "SIGTERM"].map((name) => [process.listeners(name).length,
    process.rawListeners(name).length, process.listenerCount(name)]), process.emit.name, process.emit.length,
    process.eventNames().filter((name) => typeof name === "string").sort(), process.emit("SIGINT"));`,
  throwSync: `function inner() { throw new TypeError("sync"); }\ninner();`,
  throwAsync: `async function inner() { await null; throw new Error("async"); }\ninner();`,
  throwTimer: `setTimeout(function late() { throw new Error("timer"); }, 1);`,
  throwFs: `require("fs").readFile(__filename, () => { throw new Error("fs"); });`,
  throwFsSync: `require("fs").readFileSync("/no/such/file");`,
  throwExit: `process.on("exit", () => { throw new Error("exit"); });`,
  caught: `const fs = require("fs"); function deep(n) { return n > 0 ? deep(n - 1) : fs.openSync("/no/such/file"); }
    for (const call of [() => fs.readFileSync("/no"), () => fs.statSync({}), () => deep(20)])
      try { call(); } catch (error) { console.log(error, error.stack); }`,
  rejection: `Promise.reject(new Error("unhandled"));`,
  rejectionHandled: `process.on("unhandledRejection", (e) => console.log("saw", e.stack)); Promise.reject(new Error("x"));`,
  uncaughtHandled: `process.on("uncaughtException", (e) => console.log("saw", e.message)); setTimeout(() => { throw new Error("x"); });`,
  uncaughtTwice: `process.on("uncaughtException", () => { throw new Error("again"); }); setTimeout(() => { throw 1; }, 1);`,
  promisified: `const { promisify } = require("util"); const fs = require("fs"); const { exec } = require("child_process");
    const own = (f) => Reflect.ownKeys(f).map(String).sort() + " " + f.name + " " + f.length;
    const read = promisify(fs.readFile); console.log([promisify, read, promisify(exec), promisify((a, b) => b())].map(own),
      promisify(read) === read, promisify(exec) === promisify(exec), read === promisify(fs.readFile),
      promisify(setTimeout) === require("timers/promises").setTimeout);
    try { promisify(5); } catch (error) { console.log(error.stack.split("\\n").slice(0, 4)); }
    read("/no").catch((error) => console.log(error.stack))
      .then(() => promisify(exec)("exit 3")).catch((error) => console.log(error.code)); read({}).catch((error) => console.log(error.message));`,
  exitInTheMiddle: `process.on("exit", (code) => console.log("exit", code)); setTimeout(() => process.exit(7), 5); setInterval(() => {}, 1);`,
  exitInExit: `process.on("exit", () => process.exit(4));`,
  exitCode: `process.exitCode = 3;`,
  stdin: `let all = ""; process.stdin.on("data", (d) => (all += d)).on("end", () => console.log(all.toUpperCase()));`,
  ownSignal: `process.on("SIGINT", (name) => { console.log(name); process.exit(9); });
    setTimeout(() => process.kill(process.pid, "SIGINT"), 5); setInterval(() => {}, 10);`,
  onceSignal: `process.once("SIGTERM", (name) => { console.log(name, process.listenerCount("SIGTERM"));
    setTimeout(() => process.kill(process.pid, "SIGTERM"), 5); });
    setTimeout(() => process.kill(process.pid, "SIGTERM"), 5); setInterval(() => {}, 10);`,
  removedSignal: `process.on("SIGTERM", () => {}); process.removeAllListeners("SIGTERM");
    setTimeout(() => process.kill(process.pid, "SIGTERM"), 5); setInterval(() => {}, 10);`,
  interrupted: `setTimeout(() => process.kill(process.pid, "SIGINT"), 5); setInterval(() => {}, 10);`,
  terminatedLater: `setTimeout(() => process.kill(process.pid, "SIGTERM"), 150); setInterval(() => {}, 10);`,
  hungUp: `setTimeout(() => process.kill(process.pid, "SIGHUP"), 5); setInterval(() => {}, 10);`,
  killed: `setTimeout(() => process.kill(process.pid, "SIGKILL"), 150); setInterval(() => {}, 10);`,
  child: `const { execFileSync } = require("child_process");
    console.log(execFileSync(process.execPath, ["-p", "process.execArgv.length + ' ' + process.env.NODE_OPTIONS"]).toString());`,
  workers: `const { Worker, isMainThread, parentPort, threadId, workerData } = require("worker_threads");
    if (isMainThread) {
      const said = []; let ended = 0;
      const options = [{}, { execArgv: ["--no-warnings"] }, { env: { ONLY: "1" } }];
      options.forEach((option, i) => {
        const worker = new Worker(__filename, { ...option, workerData: i });
        console.log(worker.threadId, worker.constructor === Worker, worker instanceof Worker, Worker.name);
        worker.on("message", (m) => (said[i] = m));
        worker.on("exit", (code) => { said[i].push(code); if (++ended === 3) console.log(said); });
      });
    } else parentPort.postMessage([threadId, process.execArgv, process.env.NODE_OPTIONS, process.argv.length]);`,
  workerThrows: `const { Worker } = require("worker_threads");
    const worker = new Worker("throw new Error('in worker')", { eval: true });
    worker.on("error", (error) => console.log(error.message)); worker.on("exit", (code) => console.log(code));`,
  requests: `const http = require("http"); const shown = (one) => [one.eventNames().map(String), Reflect.ownKeys(one).length];
    const server = http.createServer((request, response) => {
      console.log(request.method, request.url, Object.keys(request.headers), shown(request), shown(response));
      response.on("close", () => console.log("closed", new Error("x").stack.replace(/:\\d+:\\d+/g, "")));
      response.end(new Error("x").stack.split("\\n").length + " lines");
    }).listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      const asked = http.get({ port, host: "127.0.0.1", path: "/users/7?x=1", agent: false }, (answer) => {
        console.log(answer.statusCode, shown(asked), asked.getHeaderNames(), new Error("x").stack.split("\\n").slice(0, 3).length);
        answer.setEncoding("utf8").on("data", (text) => console.log(text)).on("end", async () => {
          const fetched = await fetch("http://127.0.0.1:" + port);
          console.log(fetched.status, await fetched.text());
          http.get({ port: 1, host: "127.0.0.1" }).on("error", (error) => {
            console.log(error.code, error.stack);
            server.closeAllConnections(); server.close();
          });
        });
      });
    });`,
  frozenError: `Object.freeze(Error); const fs = require("fs");
    setTimeout(async () => { fs.statSync("/"); await null; console.log(fs.existsSync("/no"), new Error("x").stack); }, 5);`,
  frozenLater: `const fs = require("fs"); fs.statSync("/");
    setTimeout(async () => { Object.freeze(Error); await null; fs.statSync("/"); throw new Error("x"); }, 5);`,
  frozenAll: `const workers = require("worker_threads");
    setTimeout(() => {
      const timeout = Object.getPrototypeOf(setTimeout(() => {}));
      const modules = ["fs", "child_process", "timers", "worker_threads", "v8", "module"].map((name) => require(name));
      for (const one of [...modules, require("v8").promiseHooks, workers.Worker.prototype, timeout, Error, process, globalThis])
        Object.freeze(one);
      require("fs").statSync("/"); clearTimeout(setTimeout(() => {}));
      console.log(process.listenerCount("SIGINT"));
      new workers.Worker("", { eval: true }).on("exit", (code) => { console.log(code); process.kill(process.pid, "SIGINT"); });
    }, 5);`,
  frozenDeep: `const seen = new Set();
    const freeze = (value) => {
      if (Object(value) !== value || seen.has(value) || ArrayBuffer.isView(value)) return;
      seen.add(Object.freeze(value));
      for (const key of Reflect.ownKeys(value)) {
        const property = Reflect.getOwnPropertyDescriptor(value, key);
        [property.value, property.get, property.set].forEach(freeze);
      }
    };
    for (const key of Object.getOwnPropertySymbols(globalThis)) freeze(globalThis[key]);
    setTimeout(() => console.log("end"), 5);`,
  settings: `const said = new Set();
    for (const name of ["stackTraceLimit", "prepareStackTrace"]) {
      let own = Error[name];
      Object.defineProperty(Error, name, { get() { said.add("get " + name); return own; }, set(value) { said.add("set " + name); own = value; } });
    }
    setTimeout(async () => { await null; require("fs").existsSync("/"); console.log([...said]); }, 5);`,
  ownFormatter: `Error.prepareStackTrace = (error, trace) => trace.map(String).join("\\n");
    process.on("exit", () => console.log(new Error("exit").stack));
    require("fs").stat(__filename, () => { console.log(new Error("callback").stack); try { require("fs").readFileSync("/no"); } catch (e) { console.log(e.stack); } });`,
  hooks: `const { register } = require("module"); process.removeAllListeners("warning");
    register("data:text/javascript,import 'node:fs'; export const load = async (url, context, next) => next(url, context);");
    import("data:text/javascript,export default 5").then((m) => console.log(m.default));`,
  receivers: `const emitter = new (require("events"))(); emitter.on("SIGINT", () => console.log("heard")).on("a", () => {});
    console.log(process.listenerCount.call(emitter, "SIGINT"), process.listeners.call(emitter, "SIGINT").length,
      process.rawListeners.call(emitter, "a").length, process.eventNames.call(emitter), process.emit.call(emitter, "SIGINT", 2),
      process.emit.call(emitter, "SIGTERM", 15), process.emit.call(emitter, "exit"));`,
  workerListeners: `const { Worker } = require("worker_threads"); const worker = new Worker("", { eval: true });
    console.log(worker.listenerCount("exit"), worker.eventNames());
    worker.once("exit", () => console.log(worker.listenerCount("exit"), Object.getOwnPropertyNames(Worker.prototype)));`,
  overflow: `const fs = require("fs");
    // No timers: an overflow may leave Node's own lists of them half made, wherever it strikes.
    const calls = [() => fs.existsSync("/"),
      () => process.nextTick(() => {}), () => process.emit("some", process.listenerCount("SIGINT")),
      () => Promise.resolve().then(() => {})];
    let deepest = 0; let from = Infinity; const seen = new Set();
    const fill = (call, n) => { if (n >= from) call(); deepest = n; return fill(call, n + 1) + n; };
    const shift = (n, call) => (n === 0 ? fill(call, 0) : shift(n - 1, call) + 1);
    const round = (n) => {
      for (const call of calls) try { shift(n, call); } catch (error) { seen.add(error.message); }
      from = deepest - 200;
      if (n < 12) setTimeout(round, 3, n + 1);
      else console.log(fs.existsSync("/"), [...seen]);
    };
    setTimeout(round, 3, 0);`,
  timers: `const timers = require("timers"); const { promisify } = require("util");
    for (const name of ["setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate"])
      console.log(globalThis[name] === timers[name], timers[name].length, Object.getOwnPropertyNames(timers[name]).join());
    const made = [setTimeout(() => {}, 1), setImmediate(function im() {})];
    console.log(made.map((one) => one._onTimeout ?? one._onImmediate), typeof +made[0], made[0].refresh() === made[0],
      made[0].unref().hasRef(), promisify(setTimeout) === require("timers/promises").setTimeout);
    for (const wrong of ["text", null, undefined]) try { setTimeout(wrong, 1); } catch (error) { console.log(error.stack); }
    let n = 0; const each = setInterval(function () { console.log(++n, this === each, arguments[0]); if (n === 3) { clearInterval(each); replaced(); } }, 1, "a");
    function replaced() { const other = setTimeout(() => console.log("old"), 1); other._onTimeout = function () { console.log("new", this === other); }; }`,
  callbacks: `const fs = require("fs"); const get = (target, key) => (console.log(key), target[key]);
    setTimeout(new Proxy(() => { console.log("timer"); fs.stat("/", new Proxy(() => { console.log("stat"); stored(); }, { get })); }, { get }), 1);
    fs.exists(undefined, (exists) => console.log(exists)); console.log("later");
    const { AsyncLocalStorage } = require("async_hooks"); const storage = new AsyncLocalStorage();
    const stored = () => storage.run(7, () => fs.access("/", () => { console.log(storage.getStore()); setTimeout(() => console.log(storage.getStore()), 1); }));`,
  profiler: `const { Session } = require("inspector"); const session = new Session(); const seen = new Set();
    setTimeout(() => {
      session.connect();
      session.on("inspectorNotification", ({ method }) => { if (method.startsWith("Profiler.")) seen.add(method); });
      session.post("Profiler.enable");
      session.post("Profiler.setSamplingInterval", { interval: 500 }, (error) => console.log(error));
      session.post("Profiler.start");
      setTimeout(() => session.post("Profiler.stop", (error, { profile }) => console.log(error, profile.nodes.length > 1, [...seen])), 1300);
    }, 200);`,
  functions: `const fs = require("fs"); console.log(fs.readFileSync.name, fs.readFileSync.length, typeof fs.realpathSync.native,
    Object.keys(fs).join(), fs.readFileSync, require("child_process").execSync);`,
};

const seen = ({ code, signal, stdout, stderr }: Ending): object => ({ code, signal, stdout, stderr });

test("programs print, exit and die recorded as they do alone, and leave a whole trace", async (t) => {
  const args = { input: "some input" };
  const jobs = Object.entries(PROGRAMS).map(([name, source]) => async () => {
    const recorded = await runRecorded(folder, name, source, args);
    const alone = await runNode([folder.path(`${name}.cjs`)], {
      ...args,
      env: { RUNTRACE_OUT: recorded.out },
    });
    return { name, alone, recorded };
  });
  let judged = 0;
  for (const { name, alone, recorded } of await byTwo(jobs)) {
    await t.test(name, () => {
      assert.deepEqual(seen(recorded), seen(alone));
      const found = contents(recorded.out);
      // Whatever ended the program, the trace is complete up to its last note.
      assert.deepEqual(Object.keys(found.notes.at(-1) ?? {}), ["cost"]);
      judged++;
    });
  }
  assert.equal(judged, Object.keys(PROGRAMS).length);
});

test("intrinsics that Node has frozen stay so, and nothing else changes", async () => {
  const file = folder.path("intrinsics.cjs");
  writeFileSync(
    file,
    `setTimeout(async () => { await null; console.log(require("fs").existsSync("/")); }, 5);`,
  );
  const out = folder.path("intrinsics.out");
  const args = ["--frozen-intrinsics", "--no-warnings"];
  const recorded = await runNode([...args, "--require", REGISTER, file], { env: { RUNTRACE_OUT: out } });
  assert.deepEqual(seen(recorded), { code: 0, signal: null, stdout: "true\n", stderr: "" });
  contents(out);
});

test("the preload leaves the options of the command line and of NODE_OPTIONS as the user gave them", async () => {
  const file = folder.path("options.cjs");
  writeFileSync(file, "console.log(JSON.stringify([process.execArgv, process.env.NODE_OPTIONS]));");
  const env = { RUNTRACE_OUT: folder.path("options.out") };
  const cases: readonly (readonly [readonly string[], string | undefined, unknown])[] = [
    [["--require", REGISTER], undefined, [[], null]],
    [
      ["--import", `file://${REGISTER}`, "--no-warnings"],
      "--stack-trace-limit=5",
      [["--no-warnings"], "--stack-trace-limit=5"],
    ],
    [[`--import=${REGISTER}`], undefined, [[], null]],
    [
      ["--no-warnings"],
      `--require "${REGISTER}" --stack-trace-limit=5`,
      [["--no-warnings"], "--stack-trace-limit=5"],
    ],
  ];
  for (const [args, nodeOptions, want] of cases) {
    const extra = nodeOptions === undefined ? {} : { NODE_OPTIONS: nodeOptions };
    const { stdout, stderr } = await runNode([...args, file], { env: { ...env, ...extra } });
    assert.deepEqual(JSON.parse(stdout), want, stderr);
    contents(env.RUNTRACE_OUT);
  }
});
