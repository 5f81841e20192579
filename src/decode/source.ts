/**
 * Where the bytes of a trace come from: synchronous, in pieces of any size. A piece is handed over for good: the
 * reader keeps views of it until the generation it belongs to has been delivered.
 */
export interface ByteSource {
  /** The next piece (an empty one is allowed), or null at the end, and null again on every later call. */
  read(): Uint8Array | null;
}

/** A source over pieces that are already in memory, in order. */
export function bytesSource(...pieces: readonly Uint8Array[]): ByteSource {
  let next = 0;
  return { read: () => pieces[next++] ?? null };
}
