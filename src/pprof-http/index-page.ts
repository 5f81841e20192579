/** The index: what there is, as links below `base`. */
export function indexPage(base: string): string {
  const rows = PROFILES.map(
    ([name, query, text]) =>
      `<tr><td><a href="${base}${name}${query === "" ? "" : `?${query}`}">${name}</a></td><td>${text}</td></tr>`,
  );
  return `<!doctype html>
<html lang="en">
<title>/debug/pprof/</title>
<style>body { font: 15px sans-serif; margin: 2em } td { padding: 0.2em 1em 0.2em 0; vertical-align: top }</style>
<h1>/debug/pprof/</h1>
<table>
${rows.join("\n")}
</table>
</html>
`;
}

const PROFILES = [
  [
    "profile",
    "seconds=5",
    "CPU profile, gzipped pprof: <code>go tool pprof</code>. <code>seconds</code>: how long, 30 unless told.",
  ],
  [
    "trace",
    "seconds=5",
    "Execution trace: <code>runtrace view</code>, <code>go tool trace</code>. <code>seconds</code>: how long, 1 unless told.",
  ],
  [
    "heap",
    "seconds=5",
    "What was allocated meanwhile and is alive, sampled, gzipped pprof. <code>seconds</code>: 5 unless told; with <code>heapSampling</code> since the start.",
  ],
  ["allocs", "seconds=5", "All that was allocated meanwhile, sampled, gzipped pprof."],
  [
    "goroutine",
    "debug=1",
    "Activations that have not ended, with stacks, while a trace is taken; else active resources. <code>debug</code>: 0 pprof, 1 counted, 2 each.",
  ],
  ["cmdline", "", "The command line, its words apart by zero bytes."],
] as const;
