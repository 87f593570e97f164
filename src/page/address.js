// The server's addresses, and how this client presents itself there.

import { notOpened } from './error.js';

/** How this client names itself to servers. */
const NAME = 'rollcall-0.1.0';

export class Address {
  #apiKey;
  #baseURL;
  #batch;

  /**
   * @param {string} apiKey
   * @param {string} baseURL without a slash at its end
   * @param {number | undefined} batchWindow milliseconds
   */
  constructor(apiKey, baseURL, batchWindow) {
    this.#apiKey = apiKey;
    this.#baseURL = baseURL;
    this.#batch = batchWindow === undefined ? 'batch' : `batch:${batchWindow}`;
  }

  /**
   * @param {string} path each segment encoded
   * @param {Record<string, string>} query
   */
  #of(path, query) {
    return `${this.#baseURL}${path}?${new URLSearchParams({ api_key: this.#apiKey, ...query })}`;
  }

  /**
   * Opens a socket.
   * @param {string} token
   * @param {string} introduction JSON of who connects
   */
  open(token, introduction) {
    const url = this.#of('/connect', {
      json: introduction,
      authorization: token,
      'stream-auth-type': 'jwt',
      'X-Stream-Client': NAME,
      // What is asked of servers that know our extensions.
      rollcall: `${this.#batch},pages,doubt`,
    });
    try {
      return new WebSocket(url.replace('http', 'ws'));
    } catch {
      throw notOpened(this.#baseURL);
    }
  }

  /**
   * What `fetch` takes for a request.
   * @param {string} method
   * @param {string} path each segment encoded
   * @param {string} payload JSON: goes into the address, or into the body when the method has one
   * @param {string} userId
   * @param {string | undefined} connectionId
   * @param {string} token
   * @param {AbortSignal} signal
   * @returns {[string, RequestInit]}
   */
  request(method, path, payload, userId, connectionId, token, signal) {
    const query = { user_id: userId, ...(connectionId && { connection_id: connectionId }) };
    const headers = { Authorization: token, 'stream-auth-type': 'jwt', 'X-Stream-Client': NAME };
    if (method === 'GET') return [this.#of(path, { ...query, payload }), { method, headers, signal }];
    return [this.#of(path, query), { method, headers: { ...headers, 'Content-Type': 'application/json' }, body: payload, signal }];
  }
}
