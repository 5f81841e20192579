import { spanDetails, stateText } from "../core/details.ts";
import { duration, timestamp } from "../core/format.ts";
import { activationLabel } from "../core/scene.ts";
import { announcement, loaded, selection } from "./state.ts";

/** Says the selection to screen readers: the lanes are a picture. */
export function Announcer() {
  const trace = loaded.value;
  const target = selection.value;
  let text = announcement.value;
  if (trace !== null && target?.kind === "span") {
    const { activation, category, reason, start, end } = spanDetails(trace.model, trace.index, target.row);
    const where = timestamp(start - trace.model.startTime, 1000);
    text = `${activationLabel(trace.model, activation)}: ${stateText(category, reason)} for ${duration(end - start)} at ${where}`;
  }
  return (
    <div class="hidden" role="status" aria-live="polite">
      {text}
    </div>
  );
}
