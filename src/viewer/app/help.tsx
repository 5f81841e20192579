import { useRef } from "preact/hooks";
import { Modal } from "./modal.tsx";
import { helpOpen } from "./state.ts";

const KEYS: readonly (readonly [string, readonly string[]])[] = [
  ["Zoom in, out at the pointer", ["Wheel", "Ctrl+Wheel", "W", "S", "+", "−"]],
  ["Move left, right", ["A", "D", "←", "→", "Shift+Wheel", "Drag"]],
  ["Scroll the lanes", ["↑", "↓", "Page Up", "Page Down", "Home", "End", "Alt+Wheel", "Wheel on names"]],
  ["Measure a range", ["Alt+Drag"]],
  ["Zoom into a range", ["Shift+Drag", "Drag on the axis or the overview"]],
  ["Show the whole trace", ["0", "F"]],
  ["Fit a slice", ["Double-click", "Z"]],
  ["Previous, next slice of the lane", [",", "."]],
  ["Go to who woke or made it", ["U"]],
  ["Commands, tasks, activations by name", ["Ctrl+K", ":"]],
  ["Search; next, previous match", ["/", "N", "Shift+N"]],
  ["Clear the selection", ["Esc"]],
  ["This help", ["?"]],
];

/** The keys, in a modal dialog. */
export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  return (
    <Modal of={dialog} open={helpOpen} class="help" label="Keys and gestures">
      <div>
        <h2>Keys and gestures</h2>
        <dl>
          {KEYS.map(([what, keys]) => (
            <div key={what}>
              <dt>{what}</dt>
              <dd>
                {keys.map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </dd>
            </div>
          ))}
        </dl>
        <p>
          A lane is an <b>activation</b> (in Go: a goroutine): a request, a timer, a forked promise. Its
          colour says what it does, or why it waits. <b>Event loops</b> (procs) above show which activation
          ran; blank is idle. Arrows lead from the one that woke or created the selected slice, and to those
          it woke.
        </p>
        <p class="buttons">
          <button type="button" onClick={() => (helpOpen.value = false)}>
            Close
          </button>
        </p>
      </div>
    </Modal>
  );
}
