// Who wants to hear of events, and calling them so that none can hurt us or the others.

import { invalid } from './error.js';
import * as input from './input.js';

/**
 * @typedef {object} Listener
 * @property {string | undefined} type undefined listens to everything
 * @property {(event: any) => void} handler
 * @property {boolean} active false once removed, also for an event that is just being delivered
 */

export class Listeners {
  /** @type {readonly Listener[]} replaced, never changed: somebody may be walking through it */
  list = [];

  /**
   * `on(type, handler)` or `on(handler)`.
   * @param {unknown} type
   * @param {unknown} handler
   */
  on(type, handler) {
    return this.add(...named('on', type, handler));
  }

  /**
   * @param {string | undefined} type
   * @param {(event: any) => void} handler
   */
  add(type, handler) {
    /** @type {Listener} */
    const listener = { type, handler, active: true };
    this.list = [...this.list, listener];
    return { unsubscribe: () => this.remove((other) => other === listener) };
  }

  /**
   * `off(type, handler)` or `off(handler)`.
   * @param {unknown} type
   * @param {unknown} handler
   */
  off(type, handler) {
    const [wanted, gone] = named('off', type, handler);
    this.remove((listener) => listener.type === wanted && listener.handler === gone);
  }

  /** @param {(listener: Listener) => boolean} isGone */
  remove(isGone) {
    this.list = this.list.filter((listener) => {
      if (isGone(listener)) listener.active = false;
      return listener.active;
    });
  }

  /**
   * Calls everyone who listens to `type`. A listener may add and remove listeners, call
   * anything, and throw.
   * @param {string} type
   * @param {unknown} event
   * @param {() => boolean} [isWanted] by whoever is called next
   */
  dispatch(type, event, isWanted = () => true) {
    for (const listener of this.list) {
      if (listener.active && (listener.type === undefined || listener.type === type) && isWanted()) {
        const { handler } = listener;
        attempt(() => handler(event));
      }
    }
  }
}

/**
 * Does what the app's doing may make throw: that is told, and stops nothing.
 * @param {() => unknown} call
 */
export function attempt(call) {
  try {
    call();
  } catch (thrown) {
    report(thrown);
  }
}

/**
 * Tells the page of an error that is nobody's to catch, as an uncaught one would be.
 * @param {unknown} thrown
 */
export function report(thrown) {
  try {
    // Node has no reportError, and throwing there would end the process.
    (globalThis.reportError ?? console.error)(thrown);
  } catch {
    // Tests may have made the console throw.
  }
}

/**
 * @param {string} call
 * @param {unknown} type
 * @param {unknown} handler
 * @returns {[string | undefined, (event: any) => void]}
 */
function named(call, type, handler) {
  if (typeof type === 'function') return [undefined, input.handler(call, type)];
  const checked = input.handler(call, handler);
  if (typeof type !== 'string') {
    throw invalid(`${call}: the event type must be a string such as 'user.presence.changed'`);
  }
  return [type, checked];
}
