/** How many frames the page draws, and how long the longest takes. */
export class FrameMeter {
  #drawn = 0;
  #longest = 0;
  #last = 0;
  #next: number;

  constructor() {
    this.#next = requestAnimationFrame((now) => this.#draw(now));
  }

  /** What came about since it was last asked. */
  take(): { drawn: number; longest: number } {
    const taken = { drawn: this.#drawn, longest: this.#longest };
    this.#drawn = this.#longest = 0;
    return taken;
  }

  #draw(now: number): void {
    if (this.#last > 0) this.#longest = Math.max(this.#longest, now - this.#last);
    this.#drawn += 1;
    this.#last = now;
    this.#next = requestAnimationFrame((now) => this.#draw(now));
  }

  stop(): void {
    cancelAnimationFrame(this.#next);
  }
}
