import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { ORDERS, type Order } from "../core/lanes.ts";
import { matching, thingsNamed, type Action } from "../core/palette.ts";
import { activationLabel } from "../core/scene.ts";
import { Modal } from "./modal.tsx";
import {
  goToActivation,
  goToTask,
  goToWaker,
  helpOpen,
  loaded,
  onlyInView,
  onlyTask,
  order,
  paletteOpen,
  select,
  showAll,
  stepHit,
  stepSlice,
  tab,
  TABS,
} from "./state.ts";

const SHOWN = 14;
const THINGS = 5;

function actions(): Action[] {
  const orders = Object.entries(ORDERS).map(([id, name]) => ({
    name: `Sort lanes by ${name}`,
    hint: "",
    run: () => (order.value = id as Order),
  }));
  return [
    ...TABS.map(([id, name]) => ({ name, hint: "table", run: () => (tab.value = id) })),
    { name: "Show the whole trace", hint: "0", run: showAll },
    { name: "Go to who woke or made the selected one", hint: "U", run: goToWaker },
    { name: "Next slice of the lane", hint: ".", run: () => stepSlice(1) },
    { name: "Previous slice of the lane", hint: ",", run: () => stepSlice(-1) },
    { name: "Next match", hint: "N", run: () => stepHit(1) },
    { name: "Previous match", hint: "Shift+N", run: () => stepHit(-1) },
    { name: "Show lanes of all activations", hint: "", run: () => (onlyInView.value = false) },
    { name: "Show only lanes in view", hint: "", run: () => (onlyInView.value = true) },
    { name: "Show the lanes of all tasks", hint: "", run: () => (onlyTask.value = -1) },
    { name: "Clear the selection", hint: "Esc", run: () => select(null) },
    ...orders,
    {
      name: "Copy a link to this view",
      hint: "",
      run: () => void navigator.clipboard?.writeText(location.href).catch(() => {}),
    },
    { name: "Help: keys and gestures", hint: "?", run: () => (helpOpen.value = true) },
  ];
}

/** Everything that the page can do, and every task and activation, by name: Ctrl+K. */
export function Palette() {
  const dialog = useRef<HTMLDialogElement>(null);
  const text = useSignal("");
  const at = useSignal(0);
  const isOpen = paletteOpen.value;
  const model = loaded.value?.model;
  const things = model === undefined ? null : thingsNamed(model, text.value, THINGS);
  const list: Action[] = !isOpen
    ? []
    : [
        ...matching(actions(), text.value, SHOWN),
        ...(things?.tasks ?? []).map((row) => ({
          name: `${model!.strings[model!.tasks.name[row]!]} #${model!.tasks.id[row]}`,
          hint: "task",
          run: () => goToTask(row, true),
        })),
        ...(things?.activations ?? []).map((row) => ({
          name: activationLabel(model!, row),
          hint: "activation",
          run: () => goToActivation(row),
        })),
      ];
  const chosen = Math.min(at.value, list.length - 1);
  const run = (action: Action | undefined): void => {
    dialog.current?.close();
    // Browsers move the focus out of what is hidden in the next frame only: keys are the page's from now on.
    dialog.current?.querySelector("input")?.blur();
    paletteOpen.value = false;
    action?.run();
  };
  return (
    <Modal
      of={dialog}
      open={paletteOpen}
      class="palette"
      label="Commands"
      begin={() => {
        text.value = "";
        at.value = 0;
      }}
    >
      <input
        type="text"
        role="combobox"
        aria-label="Command, task or activation"
        aria-expanded={true}
        aria-controls="palette-list"
        aria-activedescendant={list.length > 0 ? `palette-${chosen}` : undefined}
        placeholder="Command, task or activation"
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          at.value = 0;
        }}
        onKeyDown={(event) => {
          const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
          if (by !== 0) at.value = (chosen + by + list.length) % Math.max(1, list.length);
          else if (event.key === "Enter") run(list[chosen]);
          else return;
          event.preventDefault();
          document.getElementById(`palette-${at.value}`)?.scrollIntoView({ block: "nearest" });
        }}
      />
      <ul id="palette-list" role="listbox" aria-label="Found">
        {list.map((action, i) => (
          <li
            key={`${action.name} ${action.hint}`}
            id={`palette-${i}`}
            role="option"
            aria-selected={i === chosen}
            onClick={() => run(action)}
          >
            <span>{action.name}</span>
            <span class="muted">{action.hint}</span>
          </li>
        ))}
      </ul>
    </Modal>
  );
}
