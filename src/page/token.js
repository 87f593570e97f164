// The user's token: given once, or fetched by a provider when it is needed.

import { error, invalid } from './error.js';

/** The server's code for a token that has expired. */
const EXPIRED = 40;
/** How often one request fetches a new token before it takes the refusal for final. */
const REFRESHES = 2;
/** The wait before a second new token, in milliseconds. */
const REFRESH_PAUSE = 500;

export class Token {
  /** @type {Promise<string> | undefined} what the provider was last called for */
  #current;
  #value;
  #userId;

  /**
   * @param {unknown} value `connectUser`'s second argument
   * @param {string} userId
   */
  constructor(value, userId) {
    if (typeof value === 'string') {
      checkOwner(value, userId);
    } else if (typeof value !== 'function') {
      throw invalid('connectUser: the second argument must be a token, or a function that returns a promise of one');
    }
    this.#value = value;
    this.#userId = userId;
  }

  /** The token, where it was given once: then nobody has to wait for it. */
  get held() {
    return typeof this.#value === 'string' ? this.#value : undefined;
  }

  get isRenewable() {
    return this.held === undefined;
  }

  /**
   * The token, another one than `refused`. Callers at the same time share one call of the provider.
   * @param {string} [refused]
   * @returns {Promise<string>}
   */
  async get(refused) {
    if (typeof this.#value === 'string') return this.#value;
    for (let current; (current = this.#current); ) {
      // A provider that failed has told all who waited for it.
      const token = await current;
      if (token !== refused) return token;
      // Nobody has replaced the refused token meanwhile, so we do.
      if (this.#current === current) break;
    }
    this.#current = provided(/** @type {() => unknown} */ (this.#value), this.#userId);
    try {
      return await this.#current;
    } catch (problem) {
      this.#current = undefined;
      throw problem;
    }
  }

  /**
   * Does something with the token, and again with another one when that has expired.
   * @template T
   * @param {(token: string) => Promise<T>} attempt
   * @returns {Promise<T>}
   */
  async use(attempt) {
    /** @type {string | undefined} */
    let refused;
    for (let refreshes = 0; ; refreshes++) {
      const token = await this.get(refused);
      try {
        return await attempt(token);
      } catch (problem) {
        const { code } = /** @type {any} */ (problem);
        if (code !== EXPIRED || !this.isRenewable || refreshes === REFRESHES) throw problem;
      }
      refused = token;
      if (refreshes) await new Promise((resolve) => setTimeout(resolve, REFRESH_PAUSE));
    }
  }
}

/**
 * @param {() => unknown} provider may return the token itself, or throw, where it is not async
 * @param {string} userId
 */
async function provided(provider, userId) {
  let token;
  try {
    token = await provider();
  } catch (cause) {
    const reason = /** @type {any} */ (cause)?.message ?? '';
    throw error('token_provider', `the token provider failed: ${reason} (see \`cause\`)`, { cause });
  }
  if (typeof token !== 'string') throw invalid('connectUser: the token provider must return a promise of a string');
  checkOwner(token, userId);
  return token;
}

/**
 * Saves a round trip when an app has mixed up its users. What cannot be read here is left for
 * the server to refuse.
 * @param {string} token
 * @param {string} userId
 */
function checkOwner(token, userId) {
  let owner;
  try {
    owner = JSON.parse(atob(token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/'))).user_id;
  } catch {
    return;
  }
  if (typeof owner === 'string' && owner !== userId) {
    throw error('token_mismatch', `connectUser: the token is for user \`${owner}\`, but the user's id is \`${userId}\``);
  }
}

/**
 * A token that only servers with development tokens accept.
 * @param {string} userId
 */
export function developmentToken(userId) {
  // The characters of an id never make `+` or `/`, which addresses write otherwise.
  const payload = btoa(`{"user_id":"${userId}"}`).replace(/=+$/, '');
  // `{"alg":"HS256","typ":"JWT"}`
  return `eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.${payload}.devtoken`;
}
