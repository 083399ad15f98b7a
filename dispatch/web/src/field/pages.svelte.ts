/** The pages that are kept for dead spots, and a newer version of them when there is one. */
export class Pages {
  /** A newer version is here, and waits for somebody to choose the moment. */
  newer = $state(false);
  #waiting: ServiceWorker | null = null;

  async keep(): Promise<void> {
    const container = navigator.serviceWorker;
    if (!container || !import.meta.env.PROD) return;
    try {
      const registered = await container.register('/field-worker.js', { scope: '/field' });
      this.#look(registered);
      registered.addEventListener('updatefound', () => {
        const found = registered.installing;
        found?.addEventListener('statechange', () => this.#look(registered));
      });
      setInterval(() => void registered.update().catch(() => undefined), 3_600_000);
    } catch (problem) {
      console.warn('offline pages:', problem);
    }
  }

  install(): void {
    navigator.serviceWorker.addEventListener('controllerchange', () => location.reload());
    this.#waiting?.postMessage('install');
  }

  #look(registered: ServiceWorkerRegistration): void {
    this.#waiting = registered.waiting;
    this.newer = registered.waiting !== null;
  }
}
