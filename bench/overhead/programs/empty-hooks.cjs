/** Competitor: async_hooks whose callbacks do nothing. */
const { createHook } = require("node:async_hooks");

createHook({ init() {}, before() {}, after() {} }).enable();
