/** Measurements as a markdown table: each variant beside the untraced program and beside its twin, with the verdict. */
import { difference, median, paired } from "./stats.js";

const HEAD =
  "| variant | median | beside untraced | beside the twin | target | verdict |\n|---|---|---|---|---|---|";

/** A group of series as text. */
export function table({ title, unit, combine, series, notes = [] }) {
  const [base, twin] = series;
  const form = combine === difference ? (value) => signed(value) : (value) => value.toFixed(3);
  const interval = ({ median: middle, low, high }) => `${form(middle)} (${form(low)} to ${form(high)})`;
  const rows = series.map(({ name, values, target }) => {
    const beside = values === base.values ? null : paired(values, base.values, combine);
    const besideTwin =
      values === base.values || values === twin.values ? null : paired(values, twin.values, combine);
    const cells = [
      name,
      `${number(median(values))} ${unit}`,
      beside === null ? "" : interval(beside),
      besideTwin === null ? "" : interval(besideTwin),
      target === undefined ? "" : aims(target, form),
      target === undefined ? "" : verdict(beside, target),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  const lines = [`### ${title}`, "", HEAD, ...rows, ""];
  for (const note of notes) lines.push(`* ${note}`, "");
  return lines.join("\n");
}

/** Where the CPU of each variant goes, by thread. */
export function splitTable({ title, unit, series }) {
  const lines = [
    `### ${title}: by thread`,
    "",
    `| variant | main thread | tracer thread | others |`,
    "|---|---|---|---|",
  ];
  for (const { name, split } of series) {
    const cells = [split.main, split.tracer, split.others].map((value) => `${number(value)} ${unit}`);
    lines.push(`| ${[name, ...cells].join(" | ")} |`);
  }
  return `${lines.join("\n")}\n`;
}

/** A target holds when the interval reaches below it. */
function verdict({ low }, { limit, goal }) {
  if (low >= limit) return "**not met**";
  return goal !== undefined && low < goal ? "met, and the goal" : "met";
}

function aims({ limit, goal }, form) {
  return goal === undefined ? form(limit) : `${form(limit)}, goal ${form(goal)}`;
}

function signed(value) {
  return `${value < 0 ? "-" : "+"}${Math.abs(value).toFixed(1)}`;
}

/** Three significant digits. */
function number(value) {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(value >= 1 ? 2 : 3);
}
