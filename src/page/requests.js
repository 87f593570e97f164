// The requests of the protocol, and what their answers mean for what is watched.

import * as input from './input.js';
import { Options } from './input.js';

/** @import { Question } from '../../target/wasm-pack/glue.js' */
/** @import { Call } from './calls.js' */
/** @import { PresenceClient } from './client.js' */
/** @import { Json } from './state.js' */

/** How many members of a channel a server tells of, unless it says so itself. */
const PRESENCE_LIMIT = 10;
/** How many users every server answers at once. */
const USERS_PER_PAGE = 100;

/**
 * Shows the engine users, as far as it needs to know; the next call takes them. It is told of
 * changes of the first `limit`.
 * @param {PresenceClient} client
 * @param {unknown} users
 * @param {number} limit
 */
function see({ _engine: engine }, users, limit) {
  if (!Array.isArray(users)) return;
  users.forEach((user, index) => {
    if (typeof user?.id === 'string') engine.see(user.id, !!user.online, index < limit, user);
  });
}

/**
 * What to find, in which order, and what to be told of it.
 * @param {Options} options
 * @param {unknown} filter
 * @param {unknown} sort
 * @param {boolean} watch
 */
function query(options, filter, sort, watch) {
  const presence = options.flag('presence') ?? false;
  for (const name of ['limit', 'offset', 'message_limit', 'member_limit']) options.number(name);
  return {
    name: options.call,
    subscribes: watch || presence,
    signal: options.signal(),
    payload: {
      ...options.body(),
      filter_conditions: input.object(options.call, 'the filter', filter),
      sort: options.sort(sort),
      presence,
    },
  };
}

/** @param {unknown} filter @param {unknown} sort @param {unknown} given @returns {Call} */
const usersQuery = (filter, sort, given) => ({
  ...query(new Options('queryUsers', given), filter, sort, false),
  method: 'GET',
  path: '/users',
});

/** What of our servers alone may be asked. @param {string[]} ids @returns {Call} */
const usersById = (ids) => ({ name: 'watchPresence', method: 'POST', path: '/rollcall/users', payload: { ids }, subscribes: true });

/** @param {unknown} filter @param {unknown} sort @param {unknown} given */
function channelsQuery(filter, sort, given) {
  const options = new Options('queryChannels', given);
  const [state, watch] = [options.flag('state') ?? true, options.flag('watch') ?? true];
  const { payload, ...call } = query(options, filter, sort, watch);
  return { ...call, method: /** @type {const} */ ('POST'), path: '/channels', payload: { ...payload, state, watch } };
}

/**
 * Shows the engine the users of an answer. When our servers say that they do not tell of all of
 * them, it is not known which: those who were subscribed to before still are.
 * @param {PresenceClient} client
 * @param {any} reply
 */
const seeUsers = (client, reply) => see(client, reply.users, reply.presence_omitted > 0 ? 0 : Infinity);

/**
 * And the users of a channel's members. When our servers say that some are not subscribed to, it
 * is the last ones.
 * @param {PresenceClient} client
 * @param {any} response
 */
export function seeMembers(client, response) {
  const members = Array.isArray(response?.members) ? response.members : [];
  const told = client._followsAll ? Infinity : PRESENCE_LIMIT;
  const limit = Math.min(told, members.length - (response?.presence_omitted || 0));
  see(client, members.map((/** @type {any} */ member) => member?.user), limit);
}

/**
 * @param {PresenceClient} client
 * @param {unknown} filter
 * @param {unknown} sort
 * @param {unknown} options
 */
export function queryUsers(client, filter, sort, options) {
  const call = usersQuery(filter, sort, options);
  return client._send(call, (asked, reply) => {
    if (call.subscribes) {
      seeUsers(client, reply);
      client._engine.watchUsers(asked);
      // As an event shows them that has come meanwhile.
      const { users } = reply;
      if (Array.isArray(users)) users.forEach((user, index) => (users[index] = client._newer(asked, user)));
      client._engine.pump();
    }
    return reply;
  });
}

/**
 * @param {PresenceClient} client
 * @param {unknown} filter
 * @param {unknown} sort
 * @param {unknown} options
 */
export function queryChannels(client, filter, sort, options) {
  const call = channelsQuery(filter, sort, options);
  const { watch, presence } = call.payload;
  return client._send(call, (asked, { channels }) => {
    const found = [];
    for (const response of Array.isArray(channels) ? channels : []) {
      const { type, id } = Object(response?.channel);
      if (typeof type === 'string' && typeof id === 'string') {
        const channel = client._channel(type, id, undefined);
        channel._take(asked, response, watch, presence);
        found.push(channel);
      }
    }
    client._engine.pump();
    return found;
  });
}

/**
 * `POST /users` with a list of users.
 * @param {PresenceClient} client
 * @param {string} name
 * @param {unknown} list
 * @param {unknown} options
 */
export function upsertUsers(client, name, list, options) {
  const users = input.users(name, list);
  // Own properties whatever they are called: `__proto__` is an id like any other.
  const byId = Object.fromEntries(users.map((user) => [user.id, user]));
  return write(client, { name, method: 'POST', ...payload(byId, name, options) }, users, (user) => user.invisible);
}

/**
 * `PATCH /users` with a list of `{ id, set, unset }`.
 * @param {PresenceClient} client
 * @param {string} name
 * @param {unknown} list
 * @param {unknown} options
 */
export function updateUsers(client, name, list, options) {
  const users = input.users(name, list);
  return write(client, { name, method: 'PATCH', ...payload(users, name, options) }, users, ({ set, unset }) =>
    Array.isArray(unset) && unset.includes('invisible') ? false : set?.invisible,
  );
}

/** @param {unknown} users @param {string} name @param {unknown} options */
const payload = (users, name, options) => ({ path: '/users', payload: { users }, signal: input.signal(name, options) });

/**
 * @param {PresenceClient} client
 * @param {Call} call
 * @param {Json[]} entries
 * @param {(entry: Json) => unknown} invisibility
 */
function write(client, call, entries, invisibility) {
  const session = client._connected;
  // What the write makes of the connected user's invisibility, which no event tells.
  /** @type {unknown} */
  let invisible;
  for (const entry of entries) if (entry.id === session?.id) invisible = invisibility(entry);
  return client._send(call, (_, reply) => {
    if (invisible !== undefined) session?.setInvisible(invisible);
    return reply;
  });
}

/**
 * @param {PresenceClient} client
 * @param {string} name
 * @param {boolean} invisible
 * @param {unknown} options
 */
export function setInvisible(client, name, invisible, options) {
  return upsertUsers(client, name, [{ id: client._session(name).id, invisible }], options);
}

/**
 * Asks once more for a page of what is watched, as the engine wants after a reconnect.
 * @param {PresenceClient} client
 * @param {number} request
 * @param {string[]} ids
 * @param {boolean} areUsers or else channels
 * @param {boolean} watch
 * @param {boolean} presence
 * @param {number} patience
 */
export async function askAgain(client, request, ids, areUsers, watch, presence, patience) {
  const engine = client._engine;
  const options = { limit: ids.length, watch, presence };
  const call = !areUsers
    ? channelsQuery({ cid: { $in: ids } }, undefined, options)
    : ids.length > USERS_PER_PAGE
      ? usersById(ids)
      : usersQuery({ id: { $in: ids } }, undefined, options);
  try {
    await client._send({ ...call, patience }, (asked, reply) => {
      if (areUsers) seeUsers(client, reply);
      else seeChannels(client, asked, reply, ids, presence);
      engine.replied(request);
    });
  } catch (reason) {
    const { retryable, retryAfter } = /** @type {any} */ (reason);
    engine.failed(request, retryable, retryAfter, reason);
  }
}

/**
 * Channels that were asked for again; the engine is shown the members whose presence comes with
 * them. Of a channel that is not there any more there are no members.
 * @param {PresenceClient} client
 * @param {Question} asked
 * @param {any} reply
 * @param {string[]} cids
 * @param {boolean} presence
 */
export function seeChannels(client, asked, { channels }, cids, presence) {
  for (const cid of cids) {
    const response = Array.isArray(channels) ? channels.find((found) => found?.channel?.cid === cid) : undefined;
    for (const channel of client._channels) if (channel.cid === cid) channel._hydrate(asked, response);
    if (presence) {
      seeMembers(client, response);
      client._engine.watchMembers(cid, asked);
    }
  }
}
