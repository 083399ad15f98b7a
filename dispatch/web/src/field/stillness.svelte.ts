const MOMENT = 600;

/**
 * What has moved by itself takes no touch for a moment: a thumb that was on its way meant what
 * stood there before. (`.still` in field.css)
 */
export class Stillness {
  on = $state(false);
  #timer: ReturnType<typeof setTimeout> | undefined;

  moved(): void {
    this.on = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (this.on = false), MOMENT);
  }

  /** For `{@attach …}`: what stands below this moves whenever its height changes. */
  follow = (element: HTMLElement): (() => void) => {
    let height: number | null = null;
    const observer = new ResizeObserver(() => {
      if (height !== null && height !== element.offsetHeight) this.moved();
      height = element.offsetHeight;
    });
    observer.observe(element);
    return () => observer.disconnect();
  };
}
