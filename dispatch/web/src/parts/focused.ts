/** For `{@attach focused}`: what somebody has just asked for takes the keyboard. */
export function focused(element: HTMLElement): void {
  element.focus();
}
