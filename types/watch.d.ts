/// <reference lib="esnext.disposable" />

import type { CustomFields } from './custom.js';
import type { Subscription } from './events.js';
import type { Presence, PresenceChange } from './presence.js';
import type { RequestOptions } from './query.js';

/**
 * One user's presence, from {@link PresenceClient.user}.
 *
 * @example
 * const jack: UserPresence = client.user('jack');
 * const { unsubscribe } = jack.on('presence', ({ online, status }) => console.log(online, status));
 */
export declare class UserPresence<Custom = CustomFields> {
  private constructor();

  /** Who. */
  readonly id: string;
  /** What is known now; `unknown` while nobody listens and nothing else watches them. */
  readonly presence: Presence<Custom>;
  /**
   * Calls `handler` with every change from now on, beginning with the first word when nothing is
   * known yet; what is known already is in `presence`. The user is watched as by {@link PresenceClient.watchPresence} for as long as
   * anybody listens. Throws with code `not_connected` while nobody is connected; `disconnectUser`
   * ends it.
   *
   * @example
   * client.user('jack').on('presence', ({ online }) => console.log(online));
   */
  on(type: 'presence', handler: (change: PresenceChange<Custom>) => void): Subscription;
}

/**
 * Users whose presence is watched, from {@link PresenceClient.watchPresence}.
 *
 * @example
 * const watch: PresenceWatch = await client.watchPresence(['jack', 'jill']);
 * for (const id of watch.ids) console.log(id, watch.get(id).online);
 * watch.stop();
 */
export declare class PresenceWatch<Custom = CustomFields> {
  private constructor();

  /** Whom it watches, in the order in which they were added. */
  readonly ids: string[];
  /** How many they are. */
  readonly size: number;

  /**
   * What is known of somebody now. Of whom nothing is known, and who is not watched, it is `unknown`.
   *
   * @example
   * const { online, freshness } = watch.get('jack');
   */
  get(id: string): Presence<Custom>;
  /**
   * Watches these as well; resolves when there is word of all of them, and rejects as
   * `watchPresence` does. Whom the server refuses is not watched; a `signal` ends the waiting only.
   *
   * @example
   * await watch.add(['joan']);
   */
  add(ids: readonly string[], options?: RequestOptions): Promise<void>;
  /**
   * Watches these no longer.
   *
   * @example
   * watch.remove(['joan']);
   */
  remove(ids: readonly string[]): void;

  /**
   * Calls `handler` with every change of somebody watched.
   *
   * @example
   * watch.on('change', ({ id, online, freshness }) => console.log(id, online, freshness));
   */
  on(type: 'change', handler: (change: PresenceChange<Custom>) => void): Subscription;
  /**
   * Removes a handler that `on` was given.
   *
   * @example
   * const tell = ({ id, online }: PresenceChange) => console.log(id, online);
   * watch.on('change', tell);
   * watch.off('change', tell);
   */
  off(type: 'change', handler: (change: PresenceChange<Custom>) => void): void;

  /**
   * Reads the changes as they come. A reader that is slower than they are misses what was between,
   * never the newest: at most one change waits for each watched user. Ends when the watch does.
   *
   * @example
   * for await (const { id, online } of watch) console.log(id, online);
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<PresenceChange<Custom>>;

  /**
   * Ends the watch and all that read from it. `disconnectUser` and `connection.error` do so too, and
   * have its handlers told that everybody is `unknown`.
   *
   * @example
   * watch.stop();
   */
  stop(): void;
  /**
   * As {@link stop}, at the end of a `using` declaration.
   *
   * @example
   * using watch = await client.watchPresence(['jack']);
   * console.log(watch.get('jack').online); // and it ends with this block
   */
  [Symbol.dispose](): void;
}
