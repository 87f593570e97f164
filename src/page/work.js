// Every promise settles: with its answer, at its deadline, when the app aborts it, or when the
// client is disconnected.

import { disconnected, error } from './error.js';

/** The work in progress, so that a disconnect can end it. */
export class Work {
  /** @type {Set<AbortController>} */
  #running = new Set();

  /**
   * Runs what `begin` begins; its signal is aborted, and this rejects, when it ends early. What
   * `begin` throws before it first waits is thrown here as well.
   * @template T
   * @param {number | undefined} timeout in milliseconds
   * @param {AbortSignal | undefined} signal the app's
   * @param {(signal: AbortSignal) => Promise<T>} begin
   * @returns {Promise<T>}
   */
  async run(timeout, signal, begin) {
    const aborted = () => ender.abort(error('aborted', 'the request was ended by its AbortSignal'));
    const ender = new AbortController();
    if (signal?.aborted) aborted();
    ender.signal.throwIfAborted();
    this.#running.add(ender);
    signal?.addEventListener('abort', aborted);
    const timer =
      timeout === undefined
        ? undefined
        : setTimeout(
            () => ender.abort(error('timeout', `the server did not answer within ${timeout} ms; it may succeed later`)),
            timeout,
          );
    try {
      return await Promise.race([
        begin(ender.signal),
        new Promise((_, reject) => {
          const end = () => reject(ender.signal.reason);
          ender.signal.addEventListener('abort', end);
          // What begins it may be the app's, and have ended it.
          if (ender.signal.aborted) end();
        }),
      ]);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
      this.#running.delete(ender);
      // Whatever still runs of it is waited for by nobody.
      ender.abort();
    }
  }

  /** Ends everything that runs. */
  endAll() {
    for (const ender of this.#running) ender.abort(disconnected());
  }
}
