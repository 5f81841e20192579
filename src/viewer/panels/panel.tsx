import { useRef } from "preact/hooks";
import { panelHeight, tab, TABS } from "../app/state.ts";
import { Activations } from "./activations.tsx";
import { Collections } from "./collections.tsx";
import { Details } from "./details.tsx";
import { Latencies } from "./latencies.tsx";
import { Logs } from "./logs.tsx";
import { Overview } from "./overview.tsx";
import { SchedulerLatency } from "./scheduler-latency.tsx";
import { Stacks } from "./stacks.tsx";
import { TraceInfo } from "./trace-info.tsx";

function setHeight(height: number): void {
  panelHeight.value = Math.round(Math.min(Math.max(60, height), innerHeight - 240));
}

/** The lower part of the page: tabs, and a splitter above them. */
export function Panel() {
  const grab = useRef(0);
  const current = tab.value;
  const step = (event: KeyboardEvent): void => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    const index = TABS.findIndex(([id]) => id === current);
    tab.value = TABS[(index + by + TABS.length) % TABS.length]![0];
    document.getElementById(`tab-${tab.value}`)?.focus();
  };
  return (
    <section class="panel" style={{ height: `${panelHeight.value}px` }} aria-label="Details and tables">
      <div
        class="splitter"
        role="separator"
        aria-orientation="horizontal"
        aria-label="Height of the panel"
        aria-valuenow={panelHeight.value}
        aria-valuemin={60}
        tabIndex={0}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          grab.current = panelHeight.value + event.clientY;
        }}
        onPointerMove={(event) => {
          if (event.currentTarget.hasPointerCapture(event.pointerId)) setHeight(grab.current - event.clientY);
        }}
        onKeyDown={(event) => {
          if (event.key === "ArrowUp") setHeight(panelHeight.value + 24);
          else if (event.key === "ArrowDown") setHeight(panelHeight.value - 24);
          else return;
          event.preventDefault();
        }}
      />
      <div class="tabs" role="tablist" onKeyDown={step}>
        {TABS.map(([id, name]) => (
          <button
            key={id}
            id={`tab-${id}`}
            type="button"
            role="tab"
            aria-selected={id === current}
            aria-controls="panel-body"
            tabIndex={id === current ? 0 : -1}
            onClick={() => (tab.value = id)}
          >
            {name}
          </button>
        ))}
      </div>
      <div class="panel-body" id="panel-body" role="tabpanel" aria-labelledby={`tab-${current}`} tabIndex={0}>
        {current === "overview" && <Overview />}
        {current === "details" && <Details />}
        {current === "tasks" && <Latencies key="tasks" of="tasks" />}
        {current === "regions" && <Latencies key="regions" of="regions" />}
        {current === "activations" && <Activations />}
        {current === "logs" && <Logs />}
        {current === "stacks" && <Stacks />}
        {current === "latency" && <SchedulerLatency />}
        {current === "gc" && <Collections />}
        {current === "trace" && <TraceInfo />}
      </div>
    </section>
  );
}
