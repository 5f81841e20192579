/** The index: what there is, as links below `base`. */
export function indexPage(base: string): string {
  const rows = PROFILES.map(
    ([name, query, text]) =>
      `<tr><td><a href="${base}${name}?${query}">${name}</a></td><td>${text}</td></tr>`,
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
] as const;
