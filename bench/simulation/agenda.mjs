// What happens when, in virtual time: work is done in the order of its times, whenever it was put down.

export class Agenda {
  #times = [];
  #works = [];

  put(at, work) {
    const [times, works] = [this.#times, this.#works];
    let place = times.length;
    // A heap: none is later than the two below it.
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (times[above] <= at) break;
      times[place] = times[above];
      works[place] = works[above];
      place = above;
    }
    times[place] = at;
    works[place] = work;
  }

  /** Does all that is due before a time, with the time of each. */
  until(end) {
    while (this.#times.length && this.#times[0] < end) {
      const [at, work] = this.#first();
      work(at);
    }
  }

  #first() {
    const [times, works] = [this.#times, this.#works];
    const first = [times[0], works[0]];
    const [at, work] = [times.pop(), works.pop()];
    const length = times.length;
    if (!length) return first;
    let place = 0;
    for (let below = 1; below < length; below = 2 * place + 1) {
      if (below + 1 < length && times[below + 1] < times[below]) below++;
      if (times[below] >= at) break;
      times[place] = times[below];
      works[place] = works[below];
      place = below;
    }
    times[place] = at;
    works[place] = work;
    return first;
  }
}
