import { InvalidArgumentError } from "commander";

const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/**
 * Nanoseconds of a duration as Go writes it: numbers with units, as in `1.5s`, `20ms`, `1m30s`; `0` needs no unit. Throws
 * commander's InvalidArgumentError.
 */
export function parseDuration(text: string): number {
  if (text === "0") return 0;
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|[uµμ]s|ms|s|m|h))+$/.test(text))
    throw new InvalidArgumentError(`got ${JSON.stringify(text)}, want a duration such as 1.5s or 20ms.`);
  let total = 0;
  for (const [, number, unit] of text.matchAll(/([\d.]+)([a-zµμ]+)/g))
    total += Number(number) * UNITS[unit!]!;
  return Math.round(total);
}
