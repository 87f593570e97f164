// The time of `rollcall/testing`, which stands still until the test lets it pass.

export class Clock {
  /** Milliseconds since 1970. */
  now: number;

  constructor(now: Date) {
    this.now = now.getTime();
  }

  /** As the protocol writes it. */
  get timestamp(): string {
    return new Date(this.now).toISOString();
  }
}
