/**
 * A wall clock reading in RFC 3339 with the shortest fraction, as Go prints it, for every 64-bit number of seconds:
 * Go counts seconds from a year far in the past, modulo 2^64, and so does this.
 */
const SECONDS_OF_DAY = 86_400n;
const DAYS_OF_ERA = 146_097n;
/** Days from 1 March of Go's first year (-292,277,022,400) to 1 January 1970. */
const FIRST_DAY = -(292_277_022_400n / 400n) * DAYS_OF_ERA - 719_468n;
const FIRST_SECOND = FIRST_DAY * SECONDS_OF_DAY;

/** `offsetMinutes` is how far local time is ahead of UTC. */
export function wallTime(seconds: bigint, nanoseconds: number, offsetMinutes: number): string {
  const local = BigInt.asUintN(64, seconds + BigInt(offsetMinutes * 60) - FIRST_SECOND) + FIRST_SECOND;
  const day = floorDivide(local, SECONDS_OF_DAY);
  const { year, month, date } = civil(day);
  const second = Number(local - day * SECONDS_OF_DAY);
  const years = `${year < 0n ? "-" : ""}${pad(year < 0n ? -year : year, 4)}`;
  const clock = [Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60].map((n) => pad(n, 2));
  const fraction = nanoseconds === 0 ? "" : `.${pad(nanoseconds, 9).replace(/0+$/u, "")}`;
  return `${years}-${pad(month, 2)}-${pad(date, 2)}T${clock.join(":")}${fraction}${zone(offsetMinutes)}`;
}

/** Minutes that this machine's time zone is ahead of UTC at an instant; 0 for instants that Date cannot hold. */
export function localOffset(seconds: bigint): number {
  const offset = new Date(Number(seconds) * 1000).getTimezoneOffset();
  return Number.isNaN(offset) ? 0 : -offset;
}

function zone(minutes: number): string {
  if (minutes === 0) return "Z";
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${pad(Math.floor(size / 60), 2)}:${pad(size % 60, 2)}`;
}

/** The Gregorian date of a day counted from 1970, in years that begin in March so that leap days come last. */
function civil(day: bigint): { year: bigint; month: number; date: number } {
  const shifted = day + 719_468n;
  const era = floorDivide(shifted, DAYS_OF_ERA);
  const dayOfEra = Number(shifted - era * DAYS_OF_ERA);
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  const date = dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1;
  return { year: era * 400n + BigInt(yearOfEra + (month <= 2 ? 1 : 0)), month, date };
}

function floorDivide(a: bigint, b: bigint): bigint {
  return a % b < 0n ? a / b - 1n : a / b;
}

function pad(value: number | bigint, digits: number): string {
  return value.toString().padStart(digits, "0");
}
