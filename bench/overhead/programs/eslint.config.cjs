const rules = { "no-unused-vars": "error", "no-undef": "error", "no-unreachable": "error", eqeqeq: "error" };

module.exports = [
  {
    rules,
    languageOptions: {
      globals: { process: "readonly", URL: "readonly", Buffer: "readonly", setTimeout: "readonly" },
    },
  },
];
