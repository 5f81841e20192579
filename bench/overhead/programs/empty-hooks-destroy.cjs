/** Competitor: async_hooks whose callbacks do nothing, told of the end of each resource as well. */
const { createHook } = require("node:async_hooks");

createHook({ init() {}, before() {}, after() {}, destroy() {} }).enable();
