// `PresenceWatch`, as the app sees it.

import { upToDate } from './engine.js';
import { invalid } from './error.js';
import * as input from './input.js';
import { Listeners } from './listeners.js';
import { Reader } from './reader.js';

/** @import { Presence, PresenceChange } from '../../types/rollcall.js' */
/** @import { PresenceClient } from './client.js' */

/** The one event of a watch. */
const CHANGE = 'change';
const DISPOSE = /** @type {typeof Symbol.dispose} */ (Symbol.dispose ?? Symbol());

/** A set of watched users, and who wants to hear of them. */
export class PresenceWatch {
  #client;
  #ids = /** @type {Set<string>} */ (new Set());
  #listeners = new Listeners();
  /** @type {Set<Reader>} */
  #readers = new Set();
  #ended = false;

  /**
   * A watch of nobody.
   * @param {PresenceClient} client
   */
  constructor(client) {
    this.#client = client;
    this._number = client._engine.newWatch();
    // Kept while the watch lasts: what is listened to must not be collected.
    client._watches.set(this._number, this);
  }

  get ids() {
    return [...this.#ids];
  }

  get size() {
    return this.#ids.size;
  }

  /** @param {string} id @returns {Presence} */
  get(id) {
    return upToDate(this.#client._engine).presence(input.userId('watch.get', id));
  }

  /**
   * @param {readonly string[]} ids
   * @param {object} [options]
   */
  async add(ids, options) {
    this.#checkOpen('watch.add');
    await this._add('watch.add', ids, options);
  }

  /**
   * Watches these as well, from now on; resolves with word of all of them.
   * @param {string} call
   * @param {unknown} ids
   * @param {unknown} [options]
   */
  async _add(call, ids, options) {
    const names = input.userIds(call, ids);
    // No deadline: what is asked for while the network is away is there when it is back.
    await this.#client._work.run(undefined, input.signal(call, options), async () => {
      const { _engine: engine, _tickets: tickets } = this.#client;
      const fresh = names.filter((id) => !this.#ids.has(id));
      for (const id of names) {
        this.#ids.add(id);
        engine.watch(this._number, id);
      }
      const word = new Promise((resolve, reject) => tickets.set(engine.ticket(this._number), { resolve, reject }));
      engine.pump();
      try {
        await word;
      } catch (problem) {
        // Whoever else waits for these has been refused as well. Who merely gives up waiting must
        // not take them from the others.
        this.#remove(fresh);
        throw problem;
      }
    });
  }

  /** @param {readonly string[]} ids */
  remove(ids) {
    this.#remove(input.userIds('watch.remove', ids));
  }

  /** @param {Iterable<string>} ids */
  #remove(ids) {
    const { _engine: engine } = this.#client;
    for (const id of ids) if (this.#ids.delete(id)) engine.unwatch(this._number, id);
    engine.pump();
  }

  /**
   * @param {'change'} type
   * @param {(change: PresenceChange) => void} handler
   */
  on(type, handler) {
    this.#checkOpen('watch.on');
    input.event('watch.on', type, CHANGE);
    return this._onChange(input.handler('watch.on', handler));
  }

  /** @param {(change: PresenceChange) => void} handler */
  _onChange(handler) {
    this.#client._engine.listen(this._number, true);
    return this.#listeners.add(CHANGE, handler);
  }

  /**
   * @param {'change'} type
   * @param {(change: PresenceChange) => void} handler
   */
  off(type, handler) {
    input.event('watch.off', type, CHANGE);
    this.#listeners.off(type, handler);
  }

  stop() {
    if (this.#ended) return;
    this._end();
    this.#client._engine.listen(this._number, false);
    this.#remove(this.#ids);
    this.#client._watches.delete(this._number);
  }

  [DISPOSE]() {
    this.stop();
  }

  [Symbol.asyncIterator]() {
    const reader = new Reader(
      (id) => this.#ids.has(id) && this.get(id),
      () => this.#readers.delete(reader),
    );
    if (this.#ended) {
      reader.end();
    } else {
      this.#readers.add(reader);
      this.#client._engine.listen(this._number, true);
    }
    return reader;
  }

  /** Nothing more comes. */
  _end() {
    this.#ended = true;
    for (const reader of this.#readers) reader.end();
  }

  get _isOpen() {
    return !this.#ended;
  }

  /** @param {string} call */
  #checkOpen(call) {
    if (this.#ended) throw invalid(`${call}: this watch has ended; call client.watchPresence(ids) for another`);
  }

  /**
   * The presence of one of the watched has changed.
   * @param {PresenceChange} change
   */
  _changed(change) {
    // Whoever heard of another one just now may have taken them out, and so may whoever hears of this one.
    const isWatched = () => this.#ids.has(change.id);
    this.#listeners.dispatch(CHANGE, change, isWatched);
    if (isWatched()) for (const reader of this.#readers) reader.push(change);
    // Where whoever listened has gone, the engine need not tell any more.
    if (!this.#listeners.list.length && !this.#readers.size) this.#client._engine.listen(this._number, false);
  }
}
