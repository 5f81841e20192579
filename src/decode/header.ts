import { TraceError } from "../base/error.ts";
import { HEADER_SIZE, V2_VERSIONS } from "../wire/format.ts";
import { V1_VERSIONS } from "../wire/v1-events.ts";
import type { Input } from "./input.ts";

/**
 * Reads the 16 bytes that every trace begins with and returns the minor version (25 for "go 1.25 trace"). Like Go it
 * takes any decimal spelling of the number. Throws ERR_TRACE_HEADER for other files, ERR_TRACE_VERSION for a version
 * that no Go has written.
 */
export function readHeader(input: Input): number {
  const bytes = input.take(HEADER_SIZE);
  const version = parseHeader(bytes);
  if (version === null) {
    throw new TraceError("ERR_TRACE_HEADER", "bad file format: not a Go execution trace?", { offset: 0 });
  }
  if (!isV1(version) && !V2_VERSIONS.some((known) => known === version)) {
    const message = `unknown or unsupported trace version go 1.${version}`;
    throw new TraceError("ERR_TRACE_VERSION", message, { offset: 0 });
  }
  return version;
}

/** Whether a trace with that minor version in its header has format v1. */
export function isV1(version: number): boolean {
  return V1_VERSIONS.some((known) => known === version);
}

/** The minor version that a header names, or null where it is no header of a trace. */
export function parseHeader(bytes: Uint8Array): number | null {
  if (bytes.length < HEADER_SIZE) return null;
  const text = String.fromCharCode(...bytes.subarray(0, HEADER_SIZE));
  const match = /^go 1\.([+-]?\d+) trace\0+$/u.exec(text);
  return match === null ? null : Number(match[1]);
}
