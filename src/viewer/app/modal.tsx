import type { Signal } from "@preact/signals";
import type { ComponentChildren, RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";

/** A dialog over the page while `open` holds: Esc and a click beside it close it. */
export function Modal(props: {
  readonly of: RefObject<HTMLDialogElement | null>;
  readonly open: Signal<boolean>;
  readonly class: string;
  readonly label: string;
  /** Called before it opens. */
  readonly begin?: () => void;
  readonly children: ComponentChildren;
}) {
  const { of, open, label, begin, children } = props;
  const isOpen = open.value;
  // At once: what is typed next is for it.
  useLayoutEffect(() => {
    if (isOpen) {
      begin?.();
      of.current?.showModal();
    } else of.current?.close();
  }, [isOpen]);
  return (
    <dialog
      ref={of}
      class={props.class}
      aria-label={label}
      onClose={(event) => {
        // It may have been opened again meanwhile.
        if (!event.currentTarget.open) open.value = false;
      }}
      onClick={(event) => {
        if (event.target === event.currentTarget) open.value = false;
      }}
    >
      {children}
    </dialog>
  );
}
