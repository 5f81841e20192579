import { readNotes } from "../../model/notes.ts";
import { count, percent, plural } from "../core/format.ts";
import { stopLoading } from "./load.ts";
import { isPartial, loaded, progress } from "./state.ts";

/** What one must know before trusting the picture: a broken file, lost events. */
export function Banners() {
  const trace = loaded.value;
  if (trace === null) return null;
  const { model } = trace;
  const notes = readNotes(model.notes);
  let drops = 0;
  for (const facts of notes.drops.values()) drops += facts;
  let misuse = 0;
  for (const times of notes.misuse.values()) misuse += times;
  const now = progress.value;
  return (
    <>
      {now !== null && (
        <div class="banner reading" role="status">
          <progress
            max={1}
            {...(now.total > 0 ? { value: Math.min(1, now.bytes / now.total) } : {})}
            aria-label={now.stage}
          />
          <span>
            {now.stage}
            {now.total > 0 && ` ${percent(Math.min(1, now.bytes / now.total))}`}: shown are the first{" "}
            {plural(model.events, "event")}.
          </span>
          <button type="button" onClick={stopLoading}>
            Stop
          </button>
        </div>
      )}
      {isPartial.value && (
        <div class="banner warn" role="status">
          <b>Reading was stopped.</b> Shown are the first {plural(model.events, "event")} of the file.
        </div>
      )}
      {model.error !== null && (
        <div class="banner bad" role="alert">
          <b>This trace is broken at offset {count(model.error.offset)}.</b>{" "}
          {model.error.message.split("\n", 1)[0]}{" "}
          <span>Shown is what was read before: {plural(model.events, "event")}.</span>
        </div>
      )}
      {drops > 0 && (
        <div class="banner warn" role="status">
          <b>{plural(drops, "fact")} lost</b> because a buffer was full: record with a larger{" "}
          <code>--buffer</code>.
        </div>
      )}
      {misuse > 0 && (
        <div class="banner warn" role="status">
          <b>{plural(misuse, "misuse", "misuses")} of regions or tasks</b> (ended out of order, elsewhere, or
          never).
        </div>
      )}
    </>
  );
}
