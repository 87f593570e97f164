import type { CustomFields } from './custom.js';
import type { User } from './user.js';

/**
 * How far what is known of somebody can be trusted.
 *
 * - `live`: it is so now; the connection is alive, and every change arrives.
 * - `stale`: it was so once. Since then the connection has been in doubt or lost, or nothing tells
 *   of changes: of a large channel's members, servers tell of the first ones only.
 * - `unknown`: the server has not said, or says that there is no such user. Not the same as offline.
 *
 * @example
 * const words: Record<Freshness, string> = { live: '', stale: 'as far as we know', unknown: 'not known' };
 * console.log(words[watch.get('jack').freshness]);
 */
export type Freshness = 'live' | 'stale' | 'unknown';

/**
 * What is known of somebody's presence.
 *
 * @example
 * const { online, lastActive, freshness }: Presence = watch.get('jack');
 * if (freshness === 'unknown') console.log('nothing is known of jack');
 * else console.log(online ? 'online' : `offline since ${lastActive?.toLocaleTimeString()}`);
 */
export interface Presence<Custom = CustomFields> {
  /** Who. */
  id: string;
  /** False also for the unknown: see `freshness`. */
  online: boolean;
  /** When they were last active; null until their first connection. */
  lastActive: Date | null;
  /** Free text that they show to others; null when there is none. */
  status: string | null;
  /** How far it can be trusted. */
  freshness: Freshness;
  /** When all this was last known to be so, by this machine's clock; null unless it is stale. */
  asOf: Date | null;
  /** The user as last shown, deleted ones too; undefined for whom the server does not know. */
  user: User<Custom> | undefined;
}

/**
 * A change of somebody's presence or profile, or of its freshness: how it is from now on.
 *
 * @example
 * watch.on('change', ({ id, online, resync }: PresenceChange) => {
 *   if (!resync) console.log(id, online ? 'has just come' : 'has just left');
 * });
 */
export interface PresenceChange<Custom = CustomFields> extends Presence<Custom> {
  /** Whether it was learnt by asking again after a reconnect: it may have happened long before. */
  resync: boolean;
}
