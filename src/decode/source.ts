/**
 * Where the bytes of a trace come from: synchronous, in pieces of any size. A piece is handed over for good: the
 * reader keeps views of it until the generation it belongs to has been delivered.
 */
export interface ByteSource {
  /** The next piece (an empty one is allowed), or null at the end, and null again on every later call. */
  read(): Uint8Array | null;
  /** How many bytes it has in all, where that is known before they are read; a guess may be wrong. */
  readonly size?: number;
}

/** A source over pieces that are already in memory, in order. */
export function bytesSource(...pieces: readonly Uint8Array[]): ByteSource {
  let next = 0;
  const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return { size, read: () => pieces[next++] ?? null };
}
