import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Panel } from "../panels/panel.tsx";
import { listenKeys } from "../timeline/keys.ts";
import { Minimap } from "../timeline/minimap.tsx";
import { Timeline } from "../timeline/timeline.tsx";
import { Banners } from "./banner.tsx";
import { Help } from "./help.tsx";
import { Legend } from "./legend.tsx";
import { open } from "./load.ts";
import { Announcer } from "./announcer.tsx";
import { Palette } from "./palette.tsx";
import { failure, loaded } from "./state.ts";
import { TopBar } from "./top-bar.tsx";
import { Welcome } from "./welcome.tsx";

/** The page. The frame stays in place while a trace loads, so that nothing jumps. */
export function App() {
  const searchBox = useRef<HTMLInputElement>(null);
  const dropping = useSignal(false);
  useEffect(() => listenKeys(() => searchBox.current?.select()), []);
  useEffect(() => listenDrops((on) => (dropping.value = on)), []);
  return (
    <>
      <TopBar searchBox={searchBox} />
      <Banners />
      <main class={loaded.value === null ? "blank" : ""}>
        <Minimap />
        <Timeline />
        {loaded.value === null && <Welcome />}
      </main>
      <Legend />
      {failure.value === null && <Panel />}
      <Help />
      <Palette />
      <Announcer />
      {dropping.value && <div class="drop">Drop to open</div>}
    </>
  );
}

function listenDrops(show: (on: boolean) => void): () => void {
  const over = (event: DragEvent): void => {
    if (event.dataTransfer?.types.includes("Files") !== true) return;
    event.preventDefault();
    show(true);
  };
  const leave = (event: DragEvent): void => {
    if (event.relatedTarget === null) show(false);
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    show(false);
    const file = event.dataTransfer?.files[0];
    if (file !== undefined) open({ kind: "file", file });
  };
  addEventListener("dragover", over);
  addEventListener("dragleave", leave);
  addEventListener("drop", drop);
  return () => {
    removeEventListener("dragover", over);
    removeEventListener("dragleave", leave);
    removeEventListener("drop", drop);
  };
}
