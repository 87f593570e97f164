// Work that waits, and how long it did. Times are in microseconds.

/**
 * Servers side by side, before which work waits in one queue; a part of their time they do something
 * else, in moments too short to matter.
 */
export class Queue {
  /** What they were busy with so far, all together. */
  busy = 0;

  constructor(servers, elsewhere = 0) {
    this.free = new Float64Array(servers);
    this.elsewhere = elsewhere;
  }

  /** When work is done that comes now and takes so long. */
  done(now, takes) {
    let first = 0;
    for (let server = 1; server < this.free.length; server++) if (this.free[server] < this.free[first]) first = server;
    this.busy += takes;
    return (this.free[first] = Math.max(now, this.free[first]) + takes / (1 - this.elsewhere));
  }

  /** Which part of their time they are busy when they did this in so long. */
  part(busy, long) {
    return this.elsewhere + busy / long / this.free.length;
  }
}

/** How long something took, each time, in steps of a hundredth. */
export class Times {
  #counts = new Uint32Array(2_500);
  #total = 0;

  add(us) {
    this.#counts[Math.min(2_499, Math.floor(Math.log(Math.max(1, us)) / Math.log(1.01)))]++;
    this.#total++;
  }

  /** In milliseconds. */
  quantile(part) {
    let seen = 0;
    return 1.01 ** this.#counts.findIndex((count) => (seen += count) >= part * this.#total) / 1_000;
  }
}
