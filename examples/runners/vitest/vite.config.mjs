/** Where tests are run without `runtrace test`, the line `test: { setupFiles: ["runtrace/vitest"] }` makes them tasks. */
export default { cacheDir: "node_modules/.vite", test: { include: ["*.test.mjs"] } };
