import { types } from "node:util";
import { MessagePort } from "node:worker_threads";
import { CHANNEL_COUNTS } from "../base/facts.ts";

/** One of the two ends of a channel, and how many messages it has sent and got so far. */
export interface ChannelEnd {
  readonly channel: number;
  readonly side: 0 | 1;
  readonly sent: number;
  readonly received: number;
}

/** A place's words: its version, two of the message's key, index, end, messages sent and received, shape of the message. */
const WORDS = 8;
const PLACES = 1024;

/** Words of shared memory that `Transfers` takes: one counts the channels of the process, the others are places. */
export const TRANSFER_WORDS = 1 + PLACES * WORDS;

const MAX_CHANNELS = 2 ** 27;

/** As Node has made them: the program may replace them. */
const { forEach: eachOfMap } = Map.prototype;
const { forEach: eachOfSet } = Set.prototype;

/** How many values of a message are looked at for ports. */
const MAX_LOOKS = 1000;
/** More than there can be ports in what is looked at. */
const SHAPES = 1024;

/**
 * Ends of channels that are under way from one isolate to another: a port comes out as a new object, which tells nothing
 * of where it comes from. Who sends it leaves in shared memory which end it is, under the key of the message that
 * carries it, and who gets that message finds it there. Nobody waits: a place that is being written at the moment, or
 * was written anew, tells nothing.
 */
export class Transfers {
  readonly #words: Int32Array;

  /** `words`: TRANSFER_WORDS of them, 0 at the beginning. */
  constructor(words: Int32Array) {
    this.#words = words;
  }

  /** Number of a channel that is being made, from 1 on; 0 where there are none left. */
  newChannel(): number {
    const channel = Atomics.add(this.#words, 0, 1) + 1;
    return channel > 0 && channel < MAX_CHANNELS ? channel : 0;
  }

  /** The message of that key carries the end as its port number `index`, and is of that shape. Answers whether that was kept. */
  put(key: number, index: number, shape: number, end: ChannelEnd): boolean {
    const { channel, side, sent, received } = end;
    return this.#write(placeOf(key, index), [
      high(key),
      low(key),
      index,
      2 * channel + side,
      sent % CHANNEL_COUNTS,
      received % CHANNEL_COUNTS,
      shape,
    ]);
  }

  /** The message of that key, with so many ports, was not sent after all. */
  drop(key: number, count: number): void {
    for (let index = 0; index < count; index++) {
      if (this.#read(key, index) !== undefined) this.#write(placeOf(key, index), [0, 0, 0, 0, 0, 0, 0]);
    }
  }

  /** The shape of the message of that key, 0 where it is not known. */
  shape(key: number): number {
    return this.#read(key, 0)?.[6] ?? 0;
  }

  /** Which end it carries as its port number `index`. */
  get(key: number, index: number): ChannelEnd | undefined {
    const [, , , end = 0, sent = 0, received = 0] = this.#read(key, index) ?? [];
    return end < 2 ? undefined : { channel: end >> 1, side: (end & 1) === 0 ? 0 : 1, sent, received };
  }

  #write(at: number, place: readonly number[]): boolean {
    const words = this.#words;
    const version = Atomics.load(words, at);
    if ((version & 1) !== 0 || Atomics.compareExchange(words, at, version, version + 1) !== version)
      return false;
    for (const [i, word] of place.entries()) Atomics.store(words, at + 1 + i, word);
    Atomics.store(words, at, version + 2);
    return true;
  }

  #read(key: number, index: number): readonly number[] | undefined {
    const words = this.#words;
    const at = placeOf(key, index);
    const version = Atomics.load(words, at);
    if ((version & 1) !== 0 || Atomics.load(words, at + 2) !== low(key)) return undefined;
    const place = Array.from({ length: WORDS - 1 }, (_, i) => Atomics.load(words, at + 1 + i));
    if (Atomics.load(words, at) !== version) return undefined;
    return place[0] === high(key) && place[1] === low(key) && place[2] === index ? place : undefined;
  }
}

function high(key: number): number {
  return Math.floor(key / 2 ** 32) | 0;
}

function low(key: number): number {
  return key | 0;
}

function placeOf(key: number, index: number): number {
  let hash = Math.imul(low(key) ^ Math.imul(high(key), 0x9e3779b1), 0x85ebca6b) + index;
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
  return 1 + ((hash >>> 16) % PLACES) * WORDS;
}

/** The ports in a value, in the order in which they are met, and a number for what was met on the way. */
export interface Found {
  readonly ports: readonly MessagePort[];
  readonly shape: number;
}

/**
 * The ports in a value that can be sent. What comes out at the other end has them in the same order if it is of the same
 * shape: an object that is not what it was (of a class of Node's, say) may have lost or got some on the way. Null where
 * nothing is certain: it is large, or has getters, which are the program's code.
 */
export function portsIn(value: unknown): Found | null {
  const ports: MessagePort[] = [];
  const seen = new Set<object>();
  const left: unknown[] = [value];
  let looks = 0;
  for (; left.length > 0; looks++) {
    if (looks >= MAX_LOOKS) return null;
    const one = left.pop();
    if (typeof one !== "object" || one === null || seen.has(one)) continue;
    if (types.isProxy(one)) return null;
    seen.add(one);
    if (one instanceof MessagePort) ports.push(one);
    else if (sizeOf(one) > MAX_LOOKS) return null;
    else if (types.isMap(one)) eachOfMap.call(one, (of, key) => left.push(key, of));
    else if (types.isSet(one)) eachOfSet.call(one, (of) => left.push(of));
    else if (!isLeaf(one)) {
      for (const key of Object.keys(one)) {
        const property = Reflect.getOwnPropertyDescriptor(one, key);
        if (property === undefined || !("value" in property)) return null;
        left.push(property.value);
      }
    }
  }
  return { ports, shape: looks * SHAPES + ports.length };
}

function sizeOf(object: object): number {
  if (Array.isArray(object)) return object.length;
  return types.isMap(object) || types.isSet(object) ? object.size : 0;
}

/** Whether the properties of an object stay behind when it is sent, or are none that could be ports. */
function isLeaf(object: object): boolean {
  return (
    ArrayBuffer.isView(object) ||
    types.isAnyArrayBuffer(object) ||
    types.isDate(object) ||
    types.isRegExp(object) ||
    types.isBoxedPrimitive(object) ||
    types.isNativeError(object) ||
    types.isKeyObject(object) ||
    types.isCryptoKey(object)
  );
}
