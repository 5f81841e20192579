/**
 * The buffers under plain data, each once: what `postMessage` moves instead of copying. Follows arrays and plain
 * objects; does not look inside arrays of strings or stacks (long, and without buffers).
 */
export function buffersOf(value: unknown, into: Set<ArrayBuffer> = new Set()): Set<ArrayBuffer> {
  if (ArrayBuffer.isView(value)) {
    if (value.buffer instanceof ArrayBuffer) into.add(value.buffer);
  } else if (value !== null && typeof value === "object" && !Array.isArray(value)) {
    for (const part of Object.values(value)) buffersOf(part, into);
  }
  return into;
}
