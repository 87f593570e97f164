// `Channel`, as the app sees it.

import { disconnected, invalid } from './error.js';
import * as input from './input.js';
import { Options, isObject } from './input.js';
import { Listeners } from './listeners.js';
import { seeMembers } from './requests.js';
import { addMessage, apply, emptyState, forgetWatchers, hydrate, replaceUser, writable } from './state.js';

/** @import { Question } from '../../target/wasm-pack/glue.js' */
/** @import { PresenceClient } from './client.js' */
/** @import { Json } from './state.js' */

export class Channel {
  #client;
  /** @type {Json} what `client.channel` was given: members and custom data */
  #wanted;
  #listeners = new Listeners();
  #ended = false;
  /** @type {Promise<unknown> | undefined} settles when every request so far that begins or ends the watch has been answered */
  #turn;
  /** @type {string | undefined} */
  id;
  /** @type {any} */
  data;
  state = emptyState();

  /**
   * @param {PresenceClient} client
   * @param {string} type
   * @param {string | undefined} id
   * @param {Json} wanted
   */
  constructor(client, type, id, wanted) {
    this.#client = client;
    this.type = type;
    this.id = id;
    this.data = this.#wanted = wanted;
  }

  get cid() {
    return this.id === undefined ? undefined : `${this.type}:${this.id}`;
  }

  /**
   * Whether this is the one with this id, or among these members.
   * @param {string} type
   * @param {string | undefined} id
   * @param {string} members
   */
  _is(type, id, members) {
    if (this.type !== type) return false;
    if (id !== undefined) return this.id === id;
    return members !== '' && (this.id?.startsWith('!members-') ?? true) && memberIds(this.#wanted) === members;
  }

  /** The client was disconnected: from now on every call says so. */
  _end() {
    this.#ended = true;
  }

  /**
   * @param {string} name
   * @param {string} call
   */
  #path(name, call) {
    if (this.id === undefined) {
      throw invalid(
        `${name}: the channel is known by its members only; await channel.watch() or channel.create() first`,
      );
    }
    return `/channels/${encodeURIComponent(this.type)}/${encodeURIComponent(this.id)}/${call}`;
  }

  /** @param {object} [options] @returns {Promise<any>} */
  async create(options) {
    return this.#query('channel.create', options, false);
  }

  /** @param {object} [options] @returns {Promise<any>} */
  async watch(options) {
    return this.#query('channel.watch', options, true);
  }

  /** @param {object} [options] @returns {Promise<any>} */
  async query(options) {
    return this.#query('channel.query', options, false);
  }

  /**
   * @param {string} name
   * @param {unknown} given
   * @param {boolean} all whether to ask for state and events unless told otherwise
   */
  #query(name, given, all) {
    const options = new Options(name, given);
    const state = options.flag('state') ?? all;
    const watch = options.flag('watch') ?? all;
    const presence = options.flag('presence') ?? false;
    const path = this.id === undefined ? `/channels/${encodeURIComponent(this.type)}/query` : this.#path(name, 'query');
    const data = input.object(name, 'data', this.#wanted);
    const subscribes = watch || presence;
    const send = () =>
      this.#send(
        { name, path, payload: { ...options.body(), state, watch, presence, data }, subscribes, signal: options.signal() },
        (asked, response) => {
          this._take(asked, response, watch, presence);
          this.#client._engine.pump();
          return response;
        },
      );
    return subscribes ? this.#inTurn(send) : send();
  }

  /**
   * @param {Omit<import('./calls.js').Call, 'method'>} call
   * @param {(asked: Question, reply: any) => any} take
   */
  #send(call, take) {
    if (this.#ended) throw disconnected();
    return this.#client._send({ method: 'POST', after: call.subscribes ? this.#turn : undefined, ...call }, take);
  }

  /**
   * Requests may overtake each other: of two for the same watch the later one is to win, so it
   * waits for the other.
   * @param {() => Promise<any>} send
   */
  #inTurn(send) {
    const answered = send();
    this.#turn = Promise.allSettled([this.#turn, answered]);
    return answered;
  }

  /**
   * A query's answer: the state, and what is watched from now on.
   * @param {Question} asked
   * @param {any} response
   * @param {boolean} watch
   * @param {boolean} presence
   */
  _take(asked, response, watch, presence) {
    const id = response?.channel?.id;
    if (this.id === undefined && typeof id === 'string') this.id = id;
    this._hydrate(asked, response);
    if (watch || presence) {
      if (presence) seeMembers(this.#client, response);
      this.#client._engine.watchChannel(this.cid ?? '', watch, presence, asked);
    }
  }

  /**
   * @param {Question} asked
   * @param {any} response
   */
  _hydrate(asked, response) {
    if (isObject(response?.channel)) this.data = response.channel;
    hydrate(writable(this), response, (user) => this.#client._newer(asked, user));
  }

  /** @param {Json} user */
  _replaceUser(user) {
    replaceUser(writable(this), user);
  }

  /** @param {Json} event */
  _apply(event) {
    switch (event.type) {
      case 'channel.updated':
        if (isObject(event.channel)) this.data = event.channel;
        break;
      case 'channel.deleted':
      case 'notification.removed_from_channel':
        // From now on the server says nothing of it, nor of its members.
        this.#forgetWatch();
        forgetWatchers(writable(this));
    }
    apply(writable(this), event);
  }

  /** @param {Json} event */
  _dispatch(event) {
    this.#listeners.dispatch(event.type, event);
  }

  /** A reconnect does not bring the watch back, and members are no longer called live for it. */
  #forgetWatch() {
    if (this.cid) this.#client._engine.stopWatching(this.cid);
  }

  /** @param {object} [options] @returns {Promise<any>} */
  async stopWatching(options) {
    const name = 'channel.stopWatching';
    const call = { name, path: this.#path(name, 'stop-watching'), payload: {}, subscribes: true, signal: input.signal(name, options) };
    if (this.#ended) throw disconnected();
    // Whatever comes of the request.
    this.#forgetWatch();
    // A watch that was asked for before may have been answered meanwhile.
    const done = () => {
      this.#forgetWatch();
      this.#client._engine.pump();
    };
    return this.#inTurn(() =>
      this.#send(call, (_, reply) => {
        done();
        forgetWatchers(writable(this));
        return reply;
      }).catch((problem) => {
        done();
        throw problem;
      }),
    );
  }

  /**
   * @param {{ text: string }} message
   * @param {object} [options]
   * @returns {Promise<any>}
   */
  async sendMessage(message, options) {
    const name = 'channel.sendMessage';
    if (typeof message?.text !== 'string') throw invalid(`${name}: the message must be an object with a \`text\``);
    const call = { name, path: this.#path(name, 'message'), payload: { message }, subscribes: false, signal: input.signal(name, options) };
    return this.#send(call, (_, reply) => {
      addMessage(writable(this), reply.message);
      return reply;
    });
  }

  /** @param {any} type @param {any} [handler] */
  on(type, handler) {
    return this.#listeners.on(type, handler);
  }

  /** @param {any} type @param {any} [handler] */
  off(type, handler) {
    this.#listeners.off(type, handler);
  }
}

/**
 * The ids in `data.members`, sorted and joined: their order does not make another channel.
 * @param {any} wanted
 */
export function memberIds(wanted) {
  const members = Array.isArray(wanted?.members) ? wanted.members : [];
  // No id holds a comma.
  return members.map((/** @type {any} */ member) => (typeof member === 'string' ? member : member?.user_id)).sort().join();
}

/**
 * Splits `channel(type, id?, data?)`, where a channel known by its members has no id.
 * @param {unknown} id
 * @param {unknown} data
 * @returns {[string | undefined, Json]}
 */
export function channelArguments(id, data) {
  if (isObject(id) && !Array.isArray(id) && data === undefined) return [undefined, id];
  const checked = input.object('client.channel', 'data', data);
  if (id === undefined || id === null || id === '') return [undefined, checked];
  if (typeof id !== 'string' || !/^[!\w-]{1,64}$/.test(id)) {
    throw invalid('client.channel: the id must be a string of letters, digits, `!`, `_` and `-`, at most 64 long');
  }
  return [id, checked];
}
