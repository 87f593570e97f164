// What the client of `rollcall/testing` knows of people, and why it watches them: what the core of
// the real one does, where nothing is ever on its way.

import type { Presence, PresenceChange } from 'rollcall';
import { presence } from '../../src/page/presence.js';
import type { PublicUser } from './users.ts';

/** Why somebody is watched: by the number of a watch, by the cid of a channel, or because a query found them. */
export type Watcher = number | string;
export const QUERIES = '';

/** Told of a change: which watches are to hear of whom. */
type Changed = (watch: number, id: string, resync: boolean) => void;
/** Told of what an answer shows to be another than was known; `user` as last shown when they are no more. */
type Learnt = (flipped: boolean, lost: boolean, user: PublicUser) => void;

interface Person {
  user: PublicUser | undefined;
  /** Whether changes of theirs come by themselves, now. */
  isFollowed: boolean;
  /** When it was last known to be true, in milliseconds. */
  asOf: number;
  /** There was no such user when asked. */
  isMissing: boolean;
  readonly watchers: Set<Watcher>;
}

/** In the order of `src/page/presence.js`. */
const [LIVE, STALE, UNKNOWN] = [0, 1, 2];

export class Known {
  readonly #people = new Map<string, Person>();
  readonly #changed: Changed;
  readonly #learnt: Learnt;

  constructor(changed: Changed, learnt: Learnt) {
    this.#changed = changed;
    this.#learnt = learnt;
  }

  /** Somebody's presence as the app sees it; with `resync`, as a change. */
  presence(id: string, resync?: boolean): Presence | PresenceChange {
    const { user, isFollowed = false, asOf = 0 } = this.#people.get(id) ?? {};
    const freshness = !user ? UNKNOWN : isFollowed ? LIVE : STALE;
    const shown = presence(id, user as any, user?.online ?? false, freshness as number, NaN, resync);
    return Object.assign(shown, { asOf: freshness === STALE ? new Date(asOf) : null });
  }

  watch(id: string, watcher: Watcher): void {
    const person = this.#people.get(id) ?? { user: undefined, isFollowed: false, asOf: 0, isMissing: false, watchers: new Set() };
    person.watchers.add(watcher);
    this.#people.set(id, person);
  }

  unwatch(id: string, watcher: Watcher): void {
    const person = this.#people.get(id);
    person?.watchers.delete(watcher);
    if (person?.watchers.size === 0) this.#people.delete(id);
  }

  /** Who is watched for this reason. */
  of(isReason: (watcher: Watcher) => boolean): string[] {
    return [...this.#people].filter(([, { watchers }]) => [...watchers].some(isReason)).map(([id]) => id);
  }

  /** An event shows somebody. */
  hear(user: PublicUser, now: number): void {
    const person = this.#people.get(user.id);
    if (!person) return;
    Object.assign(person, { user, asOf: now, isMissing: false });
    this.#tell(user.id, person, false);
  }

  /** An answer shows somebody, of whose changes the client is told from now on or not. */
  learn(user: PublicUser, isFollowed: boolean, now: number, resync: boolean): void {
    const person = this.#people.get(user.id);
    if (!person) return;
    const before = person.user;
    const differs = JSON.stringify(before) !== JSON.stringify(user);
    if (differs && (before || person.isMissing)) this.#learnt((before?.online ?? false) !== user.online, false, user);
    const wasFollowed = person.isFollowed;
    Object.assign(person, { user, asOf: now, isMissing: false, isFollowed: wasFollowed || isFollowed });
    if (differs || wasFollowed !== person.isFollowed) this.#tell(user.id, person, resync);
  }

  /** An answer does not show them: there is no such user. */
  miss(id: string, resync: boolean): void {
    const person = this.#people.get(id);
    if (!person) return;
    const { user } = person;
    Object.assign(person, { user: undefined, isFollowed: false, isMissing: true });
    if (user?.online) this.#learnt(true, true, user);
    if (user) this.#tell(id, person, resync);
  }

  /** The connection is gone, and with it the certainty. */
  doubt(now: number): void {
    for (const [id, person] of this.#people) {
      if (!person.isFollowed) continue;
      Object.assign(person, { isFollowed: false, asOf: now });
      this.#tell(id, person, false);
    }
  }

  /** Nobody is watched any more. */
  forget(): void {
    const people = [...this.#people];
    this.#people.clear();
    for (const [id, person] of people) if (person.user) this.#tell(id, person, false);
  }

  #tell(id: string, { watchers }: Person, resync: boolean): void {
    for (const watcher of watchers) if (typeof watcher === 'number') this.#changed(watcher, id, resync);
  }
}
