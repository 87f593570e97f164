// `client.user`: the connected user, and a function that gives anybody else.

import { upToDate } from './engine.js';
import { report } from './listeners.js';
import * as input from './input.js';
import { unknown } from './presence.js';
import { PresenceWatch } from './watch.js';

/** @import { Presence, PresenceChange } from '../../types/rollcall.js' */
/** @import { PresenceClient } from './client.js' */

/** `client.user(id)`. */
export class UserPresence {
  #client;

  /**
   * @param {PresenceClient} client
   * @param {string} id
   */
  constructor(client, id) {
    this.#client = client;
    this.id = id;
  }

  /** @returns {Presence} */
  get presence() {
    const { _engine: engine } = this.#client;
    return engine ? upToDate(engine).presence(this.id) : unknown(this.id);
  }

  /**
   * Watches the user for as long as anybody listens: each listener has a watch of its own,
   * and the engine knows that they want the same.
   * @param {'presence'} type
   * @param {(change: PresenceChange) => void} handler
   */
  on(type, handler) {
    const call = 'user.on';
    this.#client._session(call);
    input.event(call, type, 'presence');
    const checked = input.handler(call, handler);
    const watch = new PresenceWatch(this.#client);
    watch._onChange(checked);
    // Nobody waits for this one, so a refusal is told as an uncaught error is.
    watch._add(call, [this.id]).catch((problem) => {
      if (watch._isOpen) {
        watch.stop();
        report(problem);
      }
    });
    return { unsubscribe: () => watch.stop() };
  }
}

/**
 * A function that carries the connected user's fields, so that code written for the official SDK
 * finds them where it looks.
 * @param {PresenceClient} client
 */
export function currentUser(client) {
  // An arrow function, for it has no prototype of its own.
  const user = /** @type {any} */ ((/** @type {unknown} */ id) => new UserPresence(client, input.userId('client.user', id)));
  // Neither the name nor the methods that all functions have are the user's.
  Object.setPrototypeOf(user, Object.defineProperty({}, 'toJSON', { value: () => client._connected?.me }));
  delete user.name;
  delete user.length;
  return user;
}

/**
 * From now on it carries these fields and no others. One that the app froze is replaced.
 * @param {any} client
 * @param {object} fields
 */
export function show(client, fields) {
  const { user } = client;
  try {
    for (const key of Object.keys(user)) delete user[key];
    Object.defineProperties(user, Object.getOwnPropertyDescriptors(fields));
  } catch {
    client.user = currentUser(client);
    show(client, fields);
  }
}
