// What `for await` reads from a watch: the newest state of everybody who changed, however slowly
// it reads.

import { upToDate } from './engine.js';

/** @import { PresenceChange } from '../../types/rollcall.js' */
/** @import { Engine } from './engine.js' */

/** @implements {AsyncIterableIterator<PresenceChange>} */
export class Reader {
  #engine;
  #ids;
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
   * @param {Engine} engine
   * @param {Set<string>} ids who is watched
   * @param {() => void} leave called when it reads no longer
   */
  constructor(engine, ids, leave) {
    this.#engine = engine;
    this.#ids = ids;
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
  next() {
    for (const [id, resync] of this.#unread) {
      this.#unread.delete(id);
      if (this.#ids.has(id)) return Promise.resolve({ value: { ...upToDate(this.#engine).presence(id), resync }, done: false });
    }
    if (this.#ended) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** @returns {Promise<IteratorResult<PresenceChange, undefined>>} */
  async return() {
    this.end();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}
