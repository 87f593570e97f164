// What belongs to one `connectUser`: who, with which token, and what the server said of them.

import { disconnected } from './error.js';
import { Token } from './token.js';

/** What only the user may see of themselves. Events show the public side, so these are kept. */
const OWN_FIELDS = [
  'invisible',
  'devices',
  'mutes',
  'channel_mutes',
  'unread_count',
  'total_unread_count',
  'unread_channels',
  'unread_threads',
  'privacy_settings',
  'push_preferences',
  'total_unread_count_by_team',
];

/** @import { Address } from './address.js' */
/** @typedef {import('./state.js').Json} Json */

export class Session {
  /** @type {string | undefined} the token of the last dial, */
  lastToken;
  /** @type {string | undefined} and the last one that the server refused as expired */
  refusedToken;
  /** False until the server has taken the details in: reconnects must not undo later changes. */
  #introduced = false;
  /** Settle what follows. */
  resolve = /** @type {(frame: any) => void} */ (/** @type {unknown} */ (undefined));
  reject = /** @type {(reason: unknown) => void} */ (/** @type {unknown} */ (undefined));
  /** @type {Promise<any>} what each `connectUser` of this user waits for */
  connecting = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
  /** How many of them have not been in vain. */
  wanted = 0;
  /** @type {Json} the connected user, as last heard */
  me;
  /** @type {WebSocket | undefined} opened before there was an engine to dial */
  #ahead;
  #details;
  #show;

  /**
   * @param {string} id
   * @param {Json} user
   * @param {unknown} token
   * @param {(user: Json) => void} show where the app sees it
   */
  constructor(id, user, token, show) {
    this.id = id;
    this.token = new Token(token, id);
    // A copy: what the app does to its object later is not what it connected with.
    this.me = this.#details = { ...user };
    this.#show = show;
    show(this.me);
    // Whoever waits for it is told; perhaps nobody does any more.
    this.connecting.catch(() => {});
  }

  /** @param {Json} me */
  #setMe(me) {
    this.me = me;
    this.#show(me);
  }

  /** The `json` parameter of the connect address. */
  introduction() {
    const { id } = this;
    return JSON.stringify({ user_id: id, user_details: this.#introduced ? { id } : this.#details });
  }

  /**
   * Does what the first dial will ask for, as far as it can be done at once.
   * @param {Address} address
   */
  dialAhead(address) {
    const { held } = this.token;
    try {
      if (held === undefined) this.token.get().catch(() => {});
      else this.#ahead = address.open(held, this.introduction());
    } catch {
      // The dial comes to the same, and tells.
    }
  }

  /** @param {Address} address @param {string} token */
  open(address, token) {
    const socket = this.#ahead ?? address.open(token, this.introduction());
    this.#ahead = undefined;
    this.lastToken = token;
    return socket;
  }

  /** The first frame of a connection carries the user whole. @param {Json} me */
  takeMe(me) {
    this.#introduced = true;
    this.#setMe(me);
  }

  /** An event showed the connected user's public side. @param {Json} user */
  refreshMe(user) {
    const me = { ...user };
    for (const name of OWN_FIELDS) if (this.me[name] !== undefined) me[name] = this.me[name];
    this.#setMe(me);
  }

  /** @param {unknown} invisible */
  setInvisible(invisible) {
    this.#setMe({ ...this.me, invisible });
  }

  /** Nobody is connected any more. */
  end() {
    this.#ahead?.close();
    this.reject(disconnected());
    this.#show({});
  }
}
