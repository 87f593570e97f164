// Every promise settles: with its answer, at its deadline, when the app aborts it, or when the
// client is disconnected.

import { disconnected, error } from './error.js';

/** The work in progress, so that a disconnect can end it. */
export class Work {
  /** @type {Set<(problem: unknown) => void>} */
  #running = new Set();

  /**
   * Runs what `begin` begins; when it ends early this rejects, and then the signal is aborted. What
   * `begin` throws before it first waits is thrown here as well.
   * @template T
   * @param {number | undefined} timeout in milliseconds
   * @param {AbortSignal | undefined} signal the app's
   * @param {(signal: AbortSignal) => Promise<T>} begin
   * @returns {Promise<T>}
   */
  async run(timeout, signal, begin) {
    const ender = new AbortController();
    let end = /** @type {(problem: unknown) => void} */ (/** @type {unknown} */ (undefined));
    const aborted = () => end(error('aborted', 'the request was ended by its AbortSignal'));
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    try {
      return await new Promise((resolve, reject) => {
        this.#running.add((end = reject));
        if (signal?.aborted) return aborted();
        signal?.addEventListener('abort', aborted);
        if (timeout !== undefined) {
          timer = setTimeout(
            () => reject(error('timeout', `the server did not answer within ${timeout} ms; it may succeed later`)),
            timeout,
          );
        }
        begin(ender.signal).then(resolve, reject);
      });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
      this.#running.delete(end);
      // Whatever still runs of it is waited for by nobody.
      ender.abort();
    }
  }

  /** Ends everything that runs. */
  endAll() {
    for (const end of this.#running) end(disconnected());
  }
}
