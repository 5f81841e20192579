import { MAX_STRING_SIZE } from "../wire/format.ts";

/**
 * A note as JSON that fits into one string of the format: long texts in it lose their middle. What there may be any
 * number of is said in several notes, which the reader puts together (schema: model/README.md).
 */
export function noteText(message: object): string {
  let json = JSON.stringify(message);
  for (let half = MAX_STRING_SIZE / 4; half >= 1 && Buffer.byteLength(json) > MAX_STRING_SIZE; half /= 2) {
    json = JSON.stringify(message, (_key, value: unknown) =>
      typeof value === "string" && value.length > 2 * half + 1
        ? `${value.slice(0, half)}…${value.slice(-half)}`
        : value,
    );
  }
  return json;
}
