/** Where tests are run without `runtrace test`, the line `setupFilesAfterEnv: ["runtrace/jest"]` makes them tasks. */
module.exports = { rootDir: "..", testMatch: ["<rootDir>/jest/*.test.cjs"] };
