// The user's token: given once, or fetched by a provider when it is needed.

import { error, invalid } from './error.js';

/** The server's code for a token that has expired. */
const EXPIRED = 40;
/** How often one request fetches a new token before it takes the refusal for final. */
const REFRESHES = 2;
/** The wait before a second new token, in milliseconds. */
const REFRESH_PAUSE = 500;

export class Token {
  /** @type {string | undefined} what the provider gave last */
  #token;
  /** @type {Promise<string> | undefined} what it is called for just now */
  #call;
  /** @type {Promise<string> | undefined} what the last dial waited for */
  #dialled;
  #provider;
  #userId;
  /** @type {string | undefined} the token, where it was given once: then nobody has to wait for it */
  held;

  /**
   * @param {unknown} value `connectUser`'s second argument
   * @param {string} userId
   */
  constructor(value, userId) {
    if (typeof value === 'string') {
      checkOwner((this.held = value), userId);
    } else if (typeof value !== 'function') {
      throw invalid('connectUser: the second argument must be a token, or a function that returns a promise of one');
    }
    this.#provider = value;
    this.#userId = userId;
  }

  /**
   * The token, another one than `refused`. Callers at the same time share one call of the provider.
   * @param {string} [refused]
   * @returns {Promise<string>}
   */
  async get(refused) {
    if (this.held !== undefined) return this.held;
    // Nobody has replaced the refused token meanwhile, so we do.
    if (this.#token === refused) this.#token = undefined;
    if (this.#token !== undefined) return this.#token;
    const call = (this.#call ??= provided(/** @type {() => unknown} */ (this.#provider), this.#userId));
    try {
      const token = await call;
      // It may have been given up, and be late.
      if (this.#call === call) this.#token = token;
      return token;
    } finally {
      // A provider that failed has told all who waited for it.
      if (this.#call === call) this.#call = undefined;
    }
  }

  /** Somebody waits no longer. What the provider is called for may never come, so it is called anew. */
  giveUp() {
    this.#call = undefined;
  }

  /**
   * The same for a dial, which begins when the one before was given up.
   * @param {string} [refused]
   */
  dial(refused) {
    if (this.#call === this.#dialled) this.giveUp();
    const token = this.get(refused);
    this.#dialled = this.#call;
    return token;
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
        if (code !== EXPIRED || this.held !== undefined || refreshes === REFRESHES) throw problem;
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
