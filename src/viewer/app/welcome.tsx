import { bytes } from "../core/format.ts";
import { stopLoading } from "./load.ts";
import { failure, progress } from "./state.ts";

/** What is in the place of the timeline while there is none: progress, an error, or the invitation to drop a file. */
export function Welcome() {
  const error = failure.value;
  const now = progress.value;
  if (error !== null) {
    return (
      <div class="welcome" role="alert">
        <h2>{error.missing ? "No trace here yet" : "This trace cannot be read"}</h2>
        <p class="message">{error.message}</p>
        <p class="muted">
          Drop a trace on this page, or choose one with <b>Open…</b>: a <code>trace.out</code> of runtrace or
          of Go, gzip or not. It stays on this machine.
        </p>
      </div>
    );
  }
  if (now === null) return null;
  const share = now.total > 0 ? Math.min(1, now.bytes / now.total) : undefined;
  return (
    <div class="welcome" role="status">
      <p>
        {now.stage}
        {now.bytes > 0 && ` ${bytes(now.bytes)}`}…
      </p>
      <progress max={1} {...(share === undefined ? {} : { value: share })} aria-label={now.stage} />
      <button type="button" onClick={stopLoading}>
        Stop
      </button>
    </div>
  );
}
