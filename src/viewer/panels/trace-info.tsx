import { loaded } from "../app/state.ts";
import { CATEGORIES } from "../core/categories.ts";
import { isAboutTrace } from "../core/details.ts";
import { bytes, count, duration, timestamp } from "../core/format.ts";

/** The trace as a whole: its size, what the recorder noted about itself, and how much it cost. */
export function TraceInfo() {
  const trace = loaded.value;
  if (trace === null) return null;
  const { model } = trace;
  const notes = model.notes.filter(isAboutTrace);
  const rows: [string, string][] = [
    ["File", `${trace.name}, ${bytes(trace.bytes)}`],
    ["Format", `go 1.${model.version} trace`],
    ["Duration", duration(model.endTime - model.startTime)],
    ["Events", count(model.events)],
    ["Event loops", count(model.procs.count)],
    ["Activations", count(model.activations.count)],
    ["Spans", count(model.spans.count)],
    ["Tasks", count(model.tasks.count)],
    ["Regions", count(model.regions.count)],
    ["Logs", count(model.logs.count)],
    ["CPU samples", count(model.samples.count)],
    ["Stacks", count(Math.max(0, model.stacks.length - 1))],
  ];
  return (
    <div class="details">
      <section class="card">
        <h3>Trace</h3>
        <dl class="facts">
          {rows.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </section>
      {notes.length > 0 && (
        <section class="card wide">
          <h3>Notes of the recorder</h3>
          <ul class="list">
            {notes.slice(0, 200).map((note, i) => (
              <li key={i}>
                <span class="muted">{timestamp(note.time - model.startTime, 1e6)}</span>{" "}
                <code>{JSON.stringify(note.message)}</code>
              </li>
            ))}
          </ul>
        </section>
      )}
      <section class="card">
        <h3>Words</h3>
        <dl class="facts">
          <div>
            <dt>Activation</dt>
            <dd>One thread of work: a request, a timer, a forked promise (Go: a goroutine).</dd>
          </div>
          <div>
            <dt>Event loop</dt>
            <dd>What runs one activation at a time (Go: a proc).</dd>
          </div>
          {CATEGORIES.slice(1, 3).map(({ key, label, hint }) => (
            <div key={key}>
              <dt>{label}</dt>
              <dd>{hint}</dd>
            </div>
          ))}
        </dl>
      </section>
    </div>
  );
}
