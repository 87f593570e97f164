/** Something that happens, and those who want to hear of it. */
export class Signal<T = void> {
  #listeners = new Set<(value: T) => void>();

  listen(listener: (value: T) => void): void {
    this.#listeners.add(listener);
  }

  send(value: T): void {
    for (const listener of this.#listeners) listener(value);
  }
}
