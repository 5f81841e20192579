import { useComputed } from "@preact/signals";
import type { RefObject } from "preact";
import { readNotes } from "../../model/notes.ts";
import { bytes, count, duration } from "../core/format.ts";
import { open } from "./load.ts";
import { helpOpen, hitIndex, hits, loaded, query, search, stepHit } from "./state.ts";

/** Name and figures of the trace, search, and the way to another file. */
export function TopBar(props: { readonly searchBox: RefObject<HTMLInputElement | null> }) {
  const trace = loaded.value;
  return (
    <header class="top">
      <h1>
        <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
          <rect class="logo-a" x="2" y="4" width="9" height="4" rx="1" />
          <rect class="logo-b" x="12" y="4" width="6" height="4" rx="1" />
          <rect class="logo-c" x="6" y="10" width="14" height="4" rx="1" />
          <rect class="logo-b" x="2" y="16" width="6" height="4" rx="1" />
          <rect class="logo-a" x="9" y="16" width="13" height="4" rx="1" />
        </svg>
        runtrace
      </h1>
      {trace !== null && <FileName />}
      {trace !== null && <Figures />}
      <SearchBox box={props.searchBox} />
      <label class="button">
        Open…
        <input
          type="file"
          class="hidden"
          onChange={(event) => {
            const file = event.currentTarget.files?.[0];
            if (file !== undefined) open({ kind: "file", file });
            event.currentTarget.value = "";
          }}
        />
      </label>
      <button type="button" aria-haspopup="dialog" aria-label="Help" onClick={() => (helpOpen.value = true)}>
        ?
      </button>
    </header>
  );
}

function FileName() {
  const trace = loaded.value!;
  if (trace.files.length < 2) return <span class="file">{trace.name}</span>;
  return (
    <select
      class="file"
      aria-label="Trace"
      value={trace.name}
      onChange={(event) => {
        const i = event.currentTarget.selectedIndex;
        location.assign(i === 0 ? location.pathname : `?file=trace.${i}.out`);
      }}
    >
      {trace.files.map((name) => (
        <option key={name}>{name}</option>
      ))}
    </select>
  );
}

/** What the recorder says of the process, as one text: "server.ts on Node v20.20.2". */
function Figures() {
  const notes = useComputed(() => readNotes(loaded.value?.model.notes ?? []));
  const trace = loaded.value!;
  const { model } = trace;
  const { process } = notes.value;
  const figures: [string, string][] = [
    ["duration", duration(model.endTime - model.startTime)],
    ["events", count(model.events)],
    [model.procs.count === 1 ? "event loop" : "event loops", count(model.procs.count)],
    [model.activations.count === 1 ? "activation" : "activations", count(model.activations.count)],
    [model.tasks.count === 1 ? "task" : "tasks", count(model.tasks.count)],
  ];
  const program = [process?.argv1?.split(/[\\/]/).pop(), process?.node && `Node ${process.node}`].filter(
    Boolean,
  );
  return (
    <ul class="figures" aria-label="Summary">
      {figures.map(([name, value]) => (
        <li key={name}>
          <b>{value}</b> {name}
        </li>
      ))}
      {program.length > 0 && (
        <li class="program" title={process?.argv1 ?? undefined}>
          {program.join(" · ")}
        </li>
      )}
      {program.length === 0 && (
        <li class="program">
          go 1.{model.version} · {bytes(trace.bytes)}
        </li>
      )}
    </ul>
  );
}

let timer: ReturnType<typeof setTimeout> | undefined;

function SearchBox(props: { readonly box: RefObject<HTMLInputElement | null> }) {
  const { count: total, more } = hits.value;
  const status =
    query.value === "" && total === 0
      ? ""
      : total === 0
        ? "none"
        : `${hitIndex.value < 0 ? "" : `${count(hitIndex.value + 1)} / `}${count(total)}${more ? "+" : ""}`;
  const step = (direction: 1 | -1): void => {
    clearTimeout(timer);
    const text = props.box.current?.value ?? "";
    if (text !== query.value) search(text);
    stepHit(direction);
  };
  return (
    <div class="search" role="search">
      <input
        ref={props.box}
        type="search"
        placeholder="Search   /"
        aria-label="Search functions, reasons, regions, tasks and logs"
        spellcheck={false}
        disabled={loaded.value === null}
        onInput={(event) => {
          const text = event.currentTarget.value;
          clearTimeout(timer);
          timer = setTimeout(() => search(text), 150);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") step(event.shiftKey ? -1 : 1);
          else if (event.key === "Escape") {
            event.currentTarget.blur();
          }
        }}
      />
      <output aria-live="polite">{status}</output>
      <button type="button" aria-label="Previous match" disabled={total === 0} onClick={() => step(-1)}>
        ‹
      </button>
      <button type="button" aria-label="Next match" disabled={total === 0} onClick={() => step(1)}>
        ›
      </button>
    </div>
  );
}
