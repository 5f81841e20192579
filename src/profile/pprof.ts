import {
  Function as PprofFunction,
  Label,
  Line,
  Location,
  Profile as PprofProfile,
  Sample,
  StringTable,
  ValueType,
} from "pprof-format";
import type { StackFrame } from "../order/types.ts";
import type { Profile, ValueKind } from "./profile.ts";

/**
 * A profile in pprof's format (profile.proto), not compressed. A frame is a location with its program counter as address;
 * equal frames are one object in all samples. Functions are told apart by name and file; a trace does not tell
 * where they begin. Text that is not UTF-8 in the trace holds U+FFFD.
 */
export function encodePprof(profile: Profile): Uint8Array {
  const strings = new StringTable();
  const text = (value: string): number => strings.dedup(value);
  const kind = ({ type, unit }: ValueKind): ValueType =>
    new ValueType({ type: text(type), unit: text(unit) });
  const locations: Location[] = [];
  const functions: PprofFunction[] = [];
  const locationIds = new Map<StackFrame, number>();
  const functionIds = new Map<string, number>();

  const functionOf = ({ func, file }: StackFrame): number => {
    const key = `${func}\0${file}`;
    let id = functionIds.get(key);
    if (id === undefined) {
      id = functions.length + 1;
      functionIds.set(key, id);
      const name = text(func);
      functions.push(new PprofFunction({ id, name, systemName: name, filename: text(file) }));
    }
    return id;
  };
  const locationOf = (frame: StackFrame): number => {
    let id = locationIds.get(frame);
    if (id === undefined) {
      id = locations.length + 1;
      locationIds.set(frame, id);
      const line = new Line({ functionId: functionOf(frame), line: frame.exactLine ?? frame.line });
      locations.push(new Location({ id, address: frame.pc, line: [line] }));
    }
    return id;
  };

  const sampleType = profile.kinds.map(kind);
  const sample = profile.samples.map(
    ({ frames, values, labels }) =>
      new Sample({
        locationId: frames.map(locationOf),
        value: [...values],
        label: labels.map(([key, value]) => new Label({ key: text(key), str: text(value) })),
      }),
  );
  return new PprofProfile({
    sampleType,
    sample,
    location: locations,
    function: functions,
    timeNanos: profile.wallStart ?? 0,
    durationNanos: profile.duration ?? 0,
    periodType: kind(profile.periodKind),
    period: profile.period,
    stringTable: strings,
  }).encode();
}
