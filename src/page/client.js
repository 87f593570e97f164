// `PresenceClient`, as the app sees it.

import { Address } from './address.js';
import { Calls } from './calls.js';
import { Channel, channelArguments, memberIds } from './channel.js';
import { makeEngine, upToDate } from './engine.js';
import { error, invalid, notConnected } from './error.js';
import { deliver, local, receive } from './events.js';
import * as input from './input.js';
import { Options } from './input.js';
import { watchPage } from './lifecycle.js';
import { Listeners, attempt } from './listeners.js';
import { connection } from './presence.js';
import * as requests from './requests.js';
import { Session } from './session.js';
import { developmentToken } from './token.js';
import { currentUser, show } from './user.js';
import { PresenceWatch } from './watch.js';
import { Work } from './work.js';

/** @import { Question } from '../../target/wasm-pack/glue.js' */
/** @import { PresenceChange } from '../../types/rollcall.js' */
/** @import { Call } from './calls.js' */
/** @import { Engine } from './engine.js' */
/** @import { Json } from './state.js' */

/** Where the hosted service is. */
const DEFAULT_BASE_URL = 'https://chat.stream-io-api.com';
/** How long a request may take unless the app says otherwise, in milliseconds. */
const DEFAULT_TIMEOUT = 10_000;
/** How long a goodbye may take before the socket is left to the browser, in milliseconds. */
const GOODBYE = 1_000;

export class PresenceClient {
  #address;
  _calls;
  /** When this was made, by the steady clock. */
  #made = performance.now();
  /** There from the first `connectUser` on, and nothing that needs it can be called before. */
  _engine = /** @type {Engine} */ (/** @type {unknown} */ (undefined));
  /** @type {Channel[]} */
  _channels = [];
  #listeners = new Listeners();
  #leavePage = () => {};
  /** @type {Session | undefined} */
  _connected;
  _work = new Work();
  /** @type {Map<number, PresenceWatch>} */
  _watches = new Map();
  /** Who waits for word of users they began to watch. @type {Map<number, { resolve: (word?: unknown) => void, reject: (problem: unknown) => void }>} */
  _tickets = new Map();
  /** Whether the server says how many members it does not tell of. */
  _followsAll = false;

  /**
   * @param {unknown} apiKey
   * @param {unknown} [given]
   */
  constructor(apiKey, given) {
    const call = 'new PresenceClient';
    if (typeof apiKey !== 'string' || !apiKey) throw invalid(`${call}: the first argument must be the API key, a string`);
    const options = new Options(call, given);
    options.only('baseURL', 'batchWindow', 'timeout');
    const baseURL = options.text('baseURL') ?? DEFAULT_BASE_URL;
    if (!/^https?:\/\//.test(baseURL)) {
      throw invalid(`${call}: baseURL must begin with http:// or https://; got \`${baseURL}\``);
    }
    const timeout = options.number('timeout') ?? DEFAULT_TIMEOUT;
    this.baseURL = baseURL.replace(/\/+$/, '');
    this.#address = new Address(apiKey, this.baseURL, options.number('batchWindow'));
    this._calls = new Calls(this, this.#address, timeout);
    this.user = currentUser(this);
  }

  get userID() {
    return this._connected?.id;
  }

  get connection() {
    const { _engine: engine } = this;
    return engine ? upToDate(engine).connection() : connection(0, performance.now() - this.#made, false, NaN, NaN);
  }

  /**
   * @param {unknown} user
   * @param {unknown} token
   * @param {unknown} [options]
   * @returns {Promise<any>}
   */
  async connectUser(user, token, options) {
    const call = 'connectUser';
    const details = input.object(call, 'the user', user);
    const id = input.userId(call, details.id);
    const current = this._connected;
    if (current && current.id !== id) {
      throw error(
        'already_connected',
        `connectUser: \`${current.id}\` is connected; await client.disconnectUser() before connecting \`${id}\``,
      );
    }
    const signal = input.signal(call, options);
    /** @type {Session | undefined} */
    let session;
    try {
      // The engine has a deadline of its own, and a disconnect ends the session.
      return await new Work().run(undefined, signal, () => {
        session = current ?? (this._connected = new Session(id, details, token, (me) => show(this, me)));
        session.wanted++;
        if (!current) this.#begin(session);
        return session.connecting;
      });
    } catch (problem) {
      // It was the signal, if the attempt still goes on. The last who wanted it ends it.
      if (session && this._connected === session && !--session.wanted) this.disconnectUser();
      throw problem;
    }
  }

  /** @param {Session} session */
  #begin(session) {
    if (!this._engine) {
      // While the engine is being made, the browser can open the socket.
      session.dialAhead(this.#address);
      this._engine = makeEngine();
    }
    // The token's provider may have disconnected.
    if (this._connected === session) {
      this.#leavePage = watchPage(this._engine);
      this._engine.connect(shielded(this), session.token.held === undefined);
    }
  }

  /** @returns {Promise<void>} */
  async disconnectUser() {
    const { _engine: engine } = this;
    const socket = engine?.disconnect();
    this.#end();
    engine?.pump();
    // Until the server has heard it.
    if (socket) {
      await new Promise((done) => {
        socket.onclose = done;
        setTimeout(done, GOODBYE);
      });
    }
  }

  #end() {
    this._connected?.end();
    this._connected = undefined;
    this.#leavePage();
    this._calls.forget();
    for (const channel of this._channels.splice(0)) channel._end();
    // They stay until their listeners have been told that nothing is known any more.
    const watches = [...this._watches];
    for (const [, watch] of watches) watch._end();
    queueMicrotask(() => watches.forEach(([number]) => this._watches.delete(number)));
    this._tickets.clear();
    this._work.endAll();
  }

  /**
   * The connected user, or the error that says to connect one for `call`.
   * @param {string} call
   */
  _session(call) {
    if (!this._connected) throw notConnected(call);
    return this._connected;
  }

  /** @param {unknown} id */
  devToken(id) {
    return developmentToken(input.userId('devToken', id));
  }

  /** @param {any} user @param {unknown} [options] */
  async upsertUser(user, options) {
    return requests.upsertUsers(this, 'upsertUser', [user], options);
  }

  /** @param {unknown} users @param {unknown} [options] */
  async upsertUsers(users, options) {
    return requests.upsertUsers(this, 'upsertUsers', users, options);
  }

  /** @param {unknown} update @param {unknown} [options] */
  async partialUpdateUser(update, options) {
    return requests.updateUsers(this, 'partialUpdateUser', [update], options);
  }

  /** @param {unknown} updates @param {unknown} [options] */
  async partialUpdateUsers(updates, options) {
    return requests.updateUsers(this, 'partialUpdateUsers', updates, options);
  }

  /** @param {unknown} [options] */
  async markInvisible(options) {
    return requests.setInvisible(this, 'markInvisible', true, options);
  }

  /** @param {unknown} [options] */
  async markVisible(options) {
    return requests.setInvisible(this, 'markVisible', false, options);
  }

  /** @param {unknown} filter @param {unknown} [sort] @param {unknown} [options] */
  async queryUsers(filter, sort, options) {
    return requests.queryUsers(this, filter, sort, options);
  }

  /** @param {unknown} filter @param {unknown} [sort] @param {unknown} [options] */
  async queryChannels(filter, sort, options) {
    return requests.queryChannels(this, filter, sort, options);
  }

  /** @param {unknown} ids @param {unknown} [options] */
  async watchPresence(ids, options) {
    const call = 'watchPresence';
    this._session(call);
    const watch = new PresenceWatch(this);
    try {
      await watch._add(call, ids, options);
    } catch (problem) {
      watch.stop();
      throw problem;
    }
    return watch;
  }

  /** @param {unknown} type @param {unknown} [id] @param {unknown} [data] */
  channel(type, id, data) {
    this._session('client.channel');
    if (typeof type !== 'string' || !/^[\w-]{1,64}$/.test(type)) {
      throw invalid("client.channel: the type must be a string such as 'messaging'");
    }
    return this._channel(type, ...channelArguments(id, data));
  }

  /**
   * The channel with this id, or among these members; one object for as long as the client is
   * connected.
   * @param {string} type
   * @param {string | undefined} id
   * @param {any} wanted
   */
  _channel(type, id, wanted) {
    const members = memberIds(wanted);
    let channel = this._channels.find((channel) => channel._is(type, id, members));
    if (!channel) this._channels.push((channel = new Channel(this, type, id, wanted)));
    return channel;
  }

  /** @param {any} type @param {any} [handler] */
  on(type, handler) {
    return this.#listeners.on(type, handler);
  }

  /** @param {any} type @param {any} [handler] */
  off(type, handler) {
    this.#listeners.off(type, handler);
  }

  // --- Requests -------------------------------------------------------------------------------

  /**
   * @param {Call} call
   * @param {(asked: Question, reply: any) => any} take
   */
  _send(call, take) {
    return this._calls.send(call, take);
  }

  /**
   * The user as an event since the question showed them, or else as they are.
   * @param {Question} asked
   * @param {any} user
   */
  _newer(asked, user) {
    return (typeof user?.id === 'string' && this._engine.newer(asked, user.id)) || user;
  }

  // --- What the engine says -------------------------------------------------------------------

  /** Get a token and open a socket. @param {number} generation */
  async _dial(generation) {
    const { _connected: session, _engine: engine } = this;
    if (!session) return;
    try {
      // A token that is at hand is not waited for, so that nothing said on its socket is missed.
      const token = session.token.held ?? (await session.token.dial(session.refusedToken));
      engine.open(generation, () => {
        const socket = session.open(this.#address, token);
        socket.onmessage = ({ data }) => receive(engine, generation, data);
        return socket;
      });
    } catch (problem) {
      engine.dialFailed(generation, problem);
    }
  }

  /** The token of the last dial has expired. */
  _tokenRefused() {
    const session = this._connected;
    if (session) session.refusedToken = session.lastToken;
  }

  /**
   * `connectUser` is settled, with the first frame or the reason why not.
   * @param {any} frame
   * @param {unknown} problem
   */
  _settled(frame, problem) {
    const session = this._connected;
    if (frame) {
      session?.resolve(frame);
    } else {
      session?.reject(problem);
      this.#end();
    }
  }

  /** The connection ended for good after it had been up. @param {unknown} reason */
  _over(reason) {
    this.#end();
    this._emit('connection.error', 'error', reason);
  }

  /**
   * Ask the server again for these, which are watched.
   * @param {number} request
   * @param {string[]} ids
   * @param {boolean} areUsers
   * @param {boolean} watch
   * @param {boolean} presence
   * @param {number} patience
   */
  _ask(request, ids, areUsers, watch, presence, patience) {
    requests.askAgain(this, request, ids, areUsers, watch, presence, patience);
  }

  /**
   * There is word of all the users of one call, or the reason why not.
   * @param {number} ticket
   * @param {unknown} problem
   */
  _word(ticket, problem) {
    const waiting = this._tickets.get(ticket);
    this._tickets.delete(ticket);
    // Only wakes whoever waits: nothing of theirs runs here.
    if (problem) waiting?.reject(problem);
    else waiting?.resolve();
  }

  /**
   * Of a watch: the presence of somebody has changed.
   * @param {number} watch
   * @param {PresenceChange} change
   */
  _changed(watch, change) {
    this._watches.get(watch)?._changed(change);
  }

  /** An event of the server's. @param {any} event */
  _deliver(event) {
    deliver(this, event);
  }

  /**
   * An event of our own.
   * @param {string} type
   * @param {string} [name] of one more field
   * @param {unknown} [value]
   */
  _emit(type, name, value) {
    deliver(this, { ...local(type), ...(name && { [name]: value }) });
  }

  /**
   * An answer differs from what was known.
   * @param {boolean} flipped whether it is the presence, and not only the profile
   * @param {boolean} lost whether it shows the user no more; then they are given as last shown
   * @param {Json} user
   */
  _learnt(flipped, lost, user) {
    const type = flipped ? 'user.presence.changed' : 'user.updated';
    deliver(this, { ...local(type), user: lost ? { ...user, online: false } : user, resync: true });
  }

  /** @param {Json} event */
  _dispatch(event) {
    this.#listeners.dispatch(event.type, event);
  }
}

/**
 * The client as the engine calls it: whatever is thrown there, the engine goes on.
 * @param {any} client
 */
function shielded(client) {
  /** @type {any} */
  const shield = {};
  for (const name of Object.getOwnPropertyNames(PresenceClient.prototype)) {
    shield[name] = (/** @type {any[]} */ ...given) => attempt(() => client[name](...given));
  }
  return shield;
}
