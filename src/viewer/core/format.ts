/** Numbers as people read them. Durations are nanoseconds. */

const UNITS = [
  { name: "s", size: 1e9 },
  { name: "ms", size: 1e6 },
  { name: "µs", size: 1e3 },
  { name: "ns", size: 1 },
] as const;

/** A duration with three significant digits: "1.23 ms", "45.6 µs", "2 s". */
export function duration(ns: number): string {
  if (Number.isNaN(ns)) return "–";
  const size = Math.abs(ns);
  if (size < 0.5) return "0 ns";
  let unit: (typeof UNITS)[number] = UNITS[3];
  for (const candidate of UNITS) {
    // 999.6 µs rounds to 1 ms, not to 1000 µs.
    if (size >= candidate.size * 0.9995) {
      unit = candidate;
      break;
    }
  }
  const value = ns / unit.size;
  const digits = Math.abs(value) >= 99.95 ? 0 : Math.abs(value) >= 9.995 ? 1 : 2;
  const text = value.toFixed(unit.size === 1 ? 0 : digits);
  return `${text.includes(".") ? text.replace(/\.?0+$/, "") : text} ${unit.name}`;
}

/** A time since the start of the trace with as many digits as `resolution` (ns) needs: "1.234567 s". */
export function timestamp(ns: number, resolution = 1): string {
  const sign = ns < 0 ? "-" : "";
  const size = Math.abs(ns);
  const unit =
    size >= 1e9 || resolution >= 1e8
      ? UNITS[0]
      : size >= 1e6 || resolution >= 1e5
        ? UNITS[1]
        : size >= 1e3
          ? UNITS[2]
          : UNITS[3];
  const digits = Math.max(
    0,
    Math.min(9, Math.round(Math.log10(unit.size)) - Math.floor(Math.log10(Math.max(resolution, 1)) + 1e-9)),
  );
  return `${sign}${(size / unit.size).toFixed(digits)} ${unit.name}`;
}

/** An integer with thin spaces: "12 345". */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, "\u2009");
}

/** A size: "1.2 MB" (powers of 1000, as file managers show it). */
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = value;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${unit === 0 || size >= 99.5 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}

/** A share of one: "12.3 %". */
export function percent(part: number): string {
  const value = part * 100;
  return `${value >= 99.95 || value === 0 ? Math.round(value) : value >= 10 ? value.toFixed(1) : value.toPrecision(2)} %`;
}

/** "1 lane", "2 lanes". */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/**
 * The last part of a qualified function name, for tight places: "main.(*T).run" stays, a path before it goes. What has a
 * space before its last slash is no path: a request ("GET host/path") or a test's title, and stays whole.
 */
export function shortName(name: string): string {
  const slash = name.lastIndexOf("/");
  const isPath = slash >= 0 && slash < name.length - 1 && !name.slice(0, slash).includes(" ");
  return isPath ? name.slice(slash + 1) : name;
}
