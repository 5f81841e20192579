import { ChildProcess } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import { Stream } from "node:stream";
import { types } from "node:util";
import { MessagePort, Worker } from "node:worker_threads";
import zlib from "node:zlib";
import { ResourceKind } from "../base/facts.ts";

/** What all of zlib's streams inherit from. */
const ZLIB = Object.getPrototypeOf(Object.getPrototypeOf(zlib.Gzip.prototype)) as object;

/** Which kind of callback makes an emitter or stream of Node's go on, ResourceKind.Unknown where that is not certain. */
export function kindOfEmitter(emitter: unknown): number {
  if (typeof emitter !== "object" || emitter === null || types.isProxy(emitter)) return ResourceKind.Unknown;
  if (emitter instanceof Stream && isHttp(emitter)) return ResourceKind.Net;
  if (emitter instanceof net.Server) return ResourceKind.Net;
  if (emitter instanceof net.Socket) return kindOfSocket(emitter);
  if (emitter instanceof ChildProcess) return ResourceKind.Child;
  if (emitter instanceof Worker || emitter instanceof MessagePort) return ResourceKind.Port;
  if (emitter instanceof fs.ReadStream || emitter instanceof fs.WriteStream) return ResourceKind.Fs;
  return Object.prototype.isPrototypeOf.call(ZLIB, emitter) ? ResourceKind.Zlib : ResourceKind.Unknown;
}

/** By name, for a program that does not use http need not load it. */
function isHttp(stream: Stream): boolean {
  const of = Object.getPrototypeOf(stream) as { constructor?: { name?: unknown } } | null;
  const name = of?.constructor?.name;
  return name === "IncomingMessage" || name === "ServerResponse" || name === "ClientRequest";
}

/** A socket may also be a child's pipe or a terminal. */
function kindOfSocket(socket: net.Socket): number {
  const { _handle: handle } = socket as { _handle?: { constructor?: { name?: string } } | null };
  const name = handle?.constructor?.name;
  return name === "Pipe" || name === "TTY" ? ResourceKind.Unknown : ResourceKind.Net;
}
