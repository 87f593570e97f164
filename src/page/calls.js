// How the server is asked: each call waits for what it needs, and has its answer in time or an error.

import { disconnected, invalid } from './error.js';

/** @import { Question } from '../../target/wasm-pack/glue.js' */
/** @import { Address } from './address.js' */
/** @import { PresenceClient } from './client.js' */

/**
 * One request.
 * @typedef {object} Call
 * @property {string} name what the app called, for messages
 * @property {'GET' | 'POST' | 'PATCH'} method
 * @property {string} path after the base address, each segment encoded
 * @property {unknown} payload what goes into the address, or into the body when the method has one
 * @property {boolean} [subscribes] to anything: then it must name the connection, and wait for one
 * @property {AbortSignal} [signal]
 * @property {Promise<unknown>} [after] what it waits for before it goes out
 * @property {number} [patience] of what the engine asks: how many milliseconds it may take, where that
 *   is less than the app's `timeout`
 */

export class Calls {
  #client;
  #address;
  #timeout;
  /** @type {((alive?: any) => void)[]} those who wait for a connection, or a sign of its life */
  #waiting = [];

  /**
   * @param {PresenceClient} client
   * @param {Address} address
   * @param {number} timeout in milliseconds
   */
  constructor(client, address, timeout) {
    this.#client = client;
    this.#address = address;
    this.#timeout = timeout;
  }

  /**
   * Sends a request as the connected user. What the app passed is read before this returns; `take`
   * makes something of the answer, which is dated by when it was asked for.
   * @param {Call} call
   * @param {(asked: Question, reply: any) => any} take
   * @returns {Promise<any>}
   */
  async send({ name, method, path, payload, subscribes, signal, after, patience }, take) {
    const session = this.#client._session(name);
    const { _engine: engine, _work: work } = this.#client;
    let text;
    try {
      text = JSON.stringify(payload);
    } catch (problem) {
      throw invalid(`${name}: what was passed cannot be sent as JSON: ${/** @type {any} */ (problem).message}`);
    }
    let answer;
    try {
      answer = await work.run(Math.min(patience ?? Infinity, this.#timeout), signal, async (ended) => {
        if (after) await after;
        const life = () => new Promise((resolve) => this.#waiting.push(resolve));
        /** @type {string | undefined} */
        let connection;
        for (let isLast = false; ; isLast = true) {
          // Somebody may have been quicker, and the connection be gone again.
          while (subscribes && !engine.connectionId()) await life();
          try {
            return await session.token.use(async (current) => {
              const asked = engine.asked();
              connection = engine.connectionId();
              const request = this.#address.request(method, path, text, session.id, connection, current, ended);
              return { asked, reply: await engine.request(...request) };
            });
          } catch (problem) {
            // What servers say when they do not know the connection, or no longer.
            if (isLast || !(/** @type {any} */ (problem).message.includes('active websocket connection'))) throw problem;
            // It died without a word, most likely. Once that is certain there will be another one,
            const sign = life();
            engine.woken();
            await sign;
            // and there the engine asks anew.
            if (patience && engine.connectionId() !== connection) throw problem;
          }
        }
      });
    } catch (problem) {
      // Perhaps it is the token that never came.
      if (/** @type {any} */ (problem).code === 'timeout') session.token.giveUp();
      throw problem;
    } finally {
      // An answer may be the first thing that a page hears after a sleep.
      engine.look();
    }
    // Whoever heard of that may have disconnected.
    if (this.#client._connected !== session) throw disconnected();
    return take(answer.asked, answer.reply);
  }

  /** There is a connection, and it lives: whoever waited for it may go. */
  go() {
    for (const go of this.#waiting.splice(0)) go();
  }

  /** There will be no connection. */
  forget() {
    this.#waiting = [];
  }
}
