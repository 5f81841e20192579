/** Where tests are run without `runtrace test`, the line `test: { setupFiles: ["runtrace/vitest"] }` makes them tasks. */
// oxlint-disable-next-line import/no-default-export -- vitest wants one
export default { cacheDir: "node_modules/.vite", test: { include: ["*.test.mjs"] } };
