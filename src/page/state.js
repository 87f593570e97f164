// A channel's live state: one plain object, brought up to date in place. What stands in it, but for
// its maps, is replaced and never written to: answers and events, which the app has, hold it too.

import { isObject } from './input.js';

/** @typedef {Record<string, any>} Json an object that was parsed */

/**
 * Ids are chosen by others: `__proto__` must be a key like any other, so a map by id has no
 * prototype.
 * @returns {Json}
 */
const map = () => Object.create(null);

/** @param {unknown} member @returns {string | undefined} */
const memberId = (member) => {
  const { user_id, user } = Object(member);
  return typeof user_id === 'string' ? user_id : user?.id;
};

/**
 * @param {Json} target
 * @param {unknown} id
 * @param {unknown} value
 */
function put(target, id, value) {
  if (typeof id === 'string') target[id] = value;
}

/** @typedef {ReturnType<typeof emptyState>} ChannelState */

export const emptyState = () => ({
  members: map(),
  watchers: map(),
  watcher_count: 0,
  messages: /** @type {Json[]} */ ([]),
  membership: /** @type {Json | null} */ (null),
});

/**
 * To be written to. An app may have frozen it, as stores of state do with all they are given: then
 * that stays as it is, and this is a copy.
 * @template {Json} T
 * @param {T} target
 * @returns {T}
 */
const thawed = (target) => (Object.isExtensible(target) ? target : Object.assign(map(), target));

/**
 * The state of a channel, to be written to.
 * @param {{ state: ChannelState }} channel
 */
export function writable(channel) {
  const state = (channel.state = thawed(channel.state));
  state.members = thawed(state.members);
  state.watchers = thawed(state.watchers);
  return state;
}

/**
 * Takes over what a query returned. `newest` gives the user that an event has shown since.
 * @param {ChannelState} state
 * @param {any} response
 * @param {(user: any) => any} newest
 */
export function hydrate(state, response, newest) {
  const { members, messages, watchers, watcher_count, membership } = Object(response);
  /** @param {any} holder */
  const freshen = (holder) => {
    if (isObject(holder?.user)) holder.user = newest(holder.user);
  };
  if (Array.isArray(members)) {
    state.members = map();
    for (const member of members) {
      freshen(member);
      put(state.members, memberId(member), member);
    }
  }
  if (Array.isArray(messages)) {
    messages.forEach(freshen);
    state.messages = messages;
  }
  if (Array.isArray(watchers)) {
    state.watchers = map();
    for (const user of watchers) put(state.watchers, user?.id, newest(user));
  }
  count(state, watcher_count);
  if (isObject(membership)) {
    freshen(membership);
    state.membership = membership;
  }
}

/**
 * @param {ChannelState} state
 * @param {unknown} watchers
 */
function count(state, watchers) {
  if (typeof watchers === 'number') state.watcher_count = watchers;
}

/**
 * The channel is no longer watched, so nothing tells who else does.
 * @param {ChannelState} state
 */
export function forgetWatchers(state) {
  state.watchers = map();
  state.watcher_count = 0;
}

/**
 * Puts the user's newest presence wherever the user appears.
 * @param {ChannelState} state
 * @param {Json} user
 */
export function replaceUser(state, user) {
  const { id } = user;
  const { members, watchers, membership, messages } = state;
  /** @param {unknown} holder */
  const isTheirs = (holder) => memberId(holder) === id;
  /** @param {any} holder */
  const renewed = (holder) => (isTheirs(holder) ? { ...holder, user } : holder);
  if (id in members) members[id] = renewed(members[id]);
  if (id in watchers) watchers[id] = user;
  state.membership = renewed(membership);
  if (messages.some(isTheirs)) state.messages = messages.map(renewed);
}

/**
 * An event of this channel.
 * @param {ChannelState} state
 * @param {Json} event
 */
export function apply(state, { type, user, member, message, watcher_count }) {
  switch (type) {
    case 'user.watching.start':
      put(state.watchers, user?.id, user);
      break;
    case 'user.watching.stop':
      delete state.watchers[user?.id];
      break;
    case 'member.added':
    case 'member.updated':
      if (isObject(member)) put(state.members, memberId(member), member);
      break;
    case 'member.removed':
      delete state.members[memberId(member) ?? user?.id];
      break;
    case 'message.new':
      addMessage(state, message);
  }
  count(state, watcher_count);
}

/**
 * A message, once: the reply to sending it and its event may both come.
 * @param {ChannelState} state
 * @param {any} message
 */
export function addMessage(state, message) {
  const id = message?.id;
  if (typeof id === 'string' && !state.messages.some((other) => other?.id === id)) state.messages = [...state.messages, message];
}
