// What belongs to one `connectUser`: who, with which token, and what the server said of them.

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

/** @typedef {import('./state.js').Json} Json */

export class Session {
  /** @type {string | undefined} the token of the last dial, */
  lastToken;
  /** @type {string | undefined} and the last one that the server refused as expired */
  refusedToken;
  /** False until the server has taken the details in: reconnects must not undo later changes. */
  #introduced = false;
  /** @type {Promise<any> | undefined} what `connectUser` returned */
  connecting;
  /** @type {{ resolve: (frame: any) => void, reject: (reason: unknown) => void } | undefined} */
  settle;
  /** @type {Json} the connected user, as last heard */
  me;
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
    this.#show({});
  }
}
