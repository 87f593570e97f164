// What is known of somebody, as the app sees it.

/** @import { Connection, Presence, PresenceChange, User } from '../../types/rollcall.js' */

/** In the engine's order. */
const FRESHNESS = /** @type {const} */ (['live', 'stale', 'unknown']);
const STATES = /** @type {const} */ (['disconnected', 'connecting', 'connected', 'waiting']);

/** The wall clock of some milliseconds ago; null when that is not a number. @param {number} ago */
const before = (ago) => (ago >= 0 ? new Date(Date.now() - ago) : null);

/**
 * Presence is no part of a profile, and does not touch the time of its last update.
 * @param {User} one
 * @param {User} other
 */
export const profilesDiffer = (one, other) => one.updated_at !== other.updated_at;

/**
 * @param {string | undefined} id undefined when the user has it
 * @param {User | undefined} user
 * @param {boolean} online
 * @param {number} freshness
 * @param {number} ago how many milliseconds ago this was so; not a number unless it is stale
 * @param {boolean | undefined} resync of a change only
 * @returns {Presence | PresenceChange}
 */
export function presence(id, user, online, freshness, ago, resync) {
  const { last_active, status } = user ?? /** @type {Partial<User>} */ ({});
  const lastActive = new Date(last_active ?? NaN);
  const shown = {
    id: user?.id ?? /** @type {string} */ (id),
    online,
    lastActive: isNaN(+lastActive) ? null : lastActive,
    status: typeof status === 'string' ? status : null,
    freshness: FRESHNESS[freshness],
    asOf: before(ago),
    user,
  };
  return resync === undefined ? shown : Object.assign(shown, { resync });
}

/** How somebody is before anything can be known. @param {string} id */
export const unknown = (id) => presence(id, undefined, false, FRESHNESS.indexOf('unknown'), NaN, undefined);

/**
 * @param {number} state
 * @param {number} since milliseconds ago
 * @param {boolean} inDoubt
 * @param {number} lastHeard milliseconds ago, or not a number
 * @param {number} nextTryIn milliseconds, or not a number
 * @returns {Connection}
 */
export const connection = (state, since, inDoubt, lastHeard, nextTryIn) => ({
  state: STATES[state],
  since: /** @type {Date} */ (before(since)),
  inDoubt,
  lastHeard: before(lastHeard),
  nextTryIn: nextTryIn >= 0 ? nextTryIn : null,
});
