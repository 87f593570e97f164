// What `for await` reads from a watch: the newest state of everybody who changed, however slowly
// it reads.

/** @import { Presence, PresenceChange } from '../../types/rollcall.js' */

/** @implements {AsyncIterableIterator<PresenceChange>} */
export class Reader {
  #look;
  #leave;
  /**
   * Who changed since they were read, and whether by a resync. Their presence is looked up when it
   * is read: a slow reader skips what was between, and one entry a user is all.
   * @type {Map<string, boolean>}
   */
  #unread = new Map();
  /** @type {((item: IteratorResult<PresenceChange, undefined>) => void)[]} readers that are faster than changes come */
  #waiting = [];
  #ended = false;

  /**
   * @param {(id: string) => Presence | false} look how somebody is now; false of who is watched no longer
   * @param {() => void} leave called when it reads no longer
   */
  constructor(look, leave) {
    this.#look = look;
    this.#leave = leave;
  }

  /** @param {PresenceChange} change */
  push(change) {
    const waiting = this.#waiting.shift();
    if (waiting) waiting({ value: change, done: false });
    else this.#unread.set(change.id, change.resync);
  }

  /** Whoever waits is told that nothing more comes. */
  end() {
    this.#ended = true;
    this.#leave();
    this.#unread.clear();
    for (const waiting of this.#waiting.splice(0)) waiting({ value: undefined, done: true });
  }

  /** @returns {Promise<IteratorResult<PresenceChange, undefined>>} */
  async next() {
    for (const [id, resync] of this.#unread) {
      this.#unread.delete(id);
      const presence = this.#look(id);
      if (presence) return { value: { ...presence, resync }, done: false };
    }
    return this.#ended ? { value: undefined, done: true } : new Promise((resolve) => this.#waiting.push(resolve));
  }

  async return() {
    this.end();
    return this.next();
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}
