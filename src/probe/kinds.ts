import { ChildProcess } from "node:child_process";
import dgram from "node:dgram";
import { EventEmitter } from "node:events";
import fs from "node:fs";
import net from "node:net";
import { Readable } from "node:stream";
import { types } from "node:util";
import { MessagePort, Worker } from "node:worker_threads";
import zlib from "node:zlib";
import { ResourceKind } from "../base/facts.ts";
import { idOf, kindOf, setStamp } from "./stamp.ts";

/** What all of zlib's streams inherit from. */
const ZLIB = Object.getPrototypeOf(Object.getPrototypeOf(zlib.Gzip.prototype)) as object;

/** Id of the stamp of what is told to go on by callbacks of a kind. */
const TOLD = -1;

/** Says what makes an iterator of Node's go on. */
export function setKind(iterator: unknown, kind: number): void {
  if (typeof iterator === "object" && iterator !== null) setStamp(iterator, TOLD, kind);
}

/** Which kind of callback makes an emitter or stream of Node's go on, ResourceKind.Unknown where that is not certain. */
export function kindOfEmitter(emitter: unknown): number {
  if (typeof emitter !== "object" || emitter === null || types.isProxy(emitter)) return ResourceKind.Unknown;
  if (idOf(emitter) === TOLD) return kindOf(emitter);
  const kind = emitter instanceof EventEmitter ? kindByName(emitter) : ResourceKind.Unknown;
  if (kind !== ResourceKind.Unknown) return kind;
  // Pipes and terminals are waited for like the network, as in Go.
  if (emitter instanceof net.Server || emitter instanceof net.Socket) return ResourceKind.Net;
  if (emitter instanceof ChildProcess) return ResourceKind.Child;
  if (emitter instanceof Worker) return ResourceKind.Worker;
  if (emitter instanceof MessagePort) return ResourceKind.Port;
  if (emitter instanceof dgram.Socket) return ResourceKind.Net;
  if (emitter instanceof fs.ReadStream || emitter instanceof fs.WriteStream) return ResourceKind.Fs;
  return Object.prototype.isPrototypeOf.call(ZLIB, emitter) ? ResourceKind.Zlib : ResourceKind.Unknown;
}

const HTTP =
  /^(?:IncomingMessage|ServerResponse|ClientRequest|Http2Server(?:Request|Response)|(?:Client|Server)Http2(?:Stream|Session))$/;

/** By the name of its class and one of Node's marks of it, for a program that does not use one need not load it. */
function kindByName(emitter: EventEmitter): number {
  const of = Object.getPrototypeOf(emitter) as { constructor?: { name?: unknown } } | null;
  const name = of?.constructor?.name;
  if (typeof name !== "string") return ResourceKind.Unknown;
  if (HTTP.test(name)) return ResourceKind.Net;
  if (name === "FSWatcher" || name === "StatWatcher") return ResourceKind.Fs;
  // Lines come as what they are read from does.
  return name === "Interface" ? kindOfInput(emitter) : ResourceKind.Unknown;
}

function kindOfInput(emitter: EventEmitter): number {
  const { value } = Reflect.getOwnPropertyDescriptor(emitter, "input") ?? {};
  return value instanceof Readable ? kindOfEmitter(value) : ResourceKind.Unknown;
}
