/** Whether something must be within reach even of somebody who is asked something in a dialog. */
class Urgent {
  /** An emergency that nobody takes care of. The desk says so, never while it is locked. */
  now = $state(false);
}
export const urgent = new Urgent();

/**
 * Opens a dialog over everything; while something is urgent it stands beside it instead, and what
 * lies under it can be used. It is the same dialog all the time, with all that is typed in it.
 */
export function modal(dialog: HTMLDialogElement): void {
  const { now } = urgent;
  const within = document.activeElement;
  if (dialog.open) {
    if (dialog.matches(':modal') !== now) return;
    // It goes and comes in one moment: nobody has closed it.
    dialog.addEventListener('close', (event) => event.stopImmediatePropagation(), {
      capture: true,
      once: true,
    });
    dialog.close();
  }
  if (now) dialog.show();
  else dialog.showModal();
  if (within instanceof HTMLElement && dialog.contains(within)) within.focus();
}
