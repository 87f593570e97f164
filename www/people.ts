import type { Freshness, Presence as Known } from 'rollcall';
import { Signal } from './signal';

/** What can truly be said of somebody: offline and unknown differ. */
export type Presence = 'online' | 'offline' | 'unknown';

export interface Person {
  id: string;
  name: string;
  status: string;
  lastActive: Date | null;
  online: boolean;
  freshness: Freshness;
  /** When this was last known to be so, while it is stale. */
  asOf: Date | null;
}

/** Everybody this page has heard of, and whether they are here. */
export class People {
  /** Somebody is new or has changed; whose id. */
  readonly changed = new Signal<string>();
  readonly #people = new Map<string, Person>();
  #current = false;
  #hidden = false;

  /** @param presenceOf What the client knows of somebody now. */
  constructor(
    readonly me: string,
    readonly presenceOf: (id: string) => Known,
  ) {}

  /** Whether what is known is how things are now. */
  get current(): boolean {
    return this.#current;
  }

  /** While what is known may be old, I am offline: that much I do know. */
  setCurrent(current: boolean): void {
    this.#current = current;
    this.lookAtAll();
  }

  /** Whether I hide. Then I am shown as what others see: offline. */
  get hidden(): boolean {
    return this.#hidden;
  }

  setHidden(hidden: boolean): void {
    this.#hidden = hidden;
    this.changed.send(this.me);
  }

  get(id: string): Person | undefined {
    return this.#people.get(id);
  }

  [Symbol.iterator](): IterableIterator<Person> {
    return this.#people.values();
  }

  presence(id: string): Presence {
    if (id === this.me) return this.#current && !this.#hidden ? 'online' : 'offline';
    const person = this.#people.get(id);
    return !person || person.freshness === 'unknown' ? 'unknown' : person.online ? 'online' : 'offline';
  }

  /** Takes over what the client knows of somebody now. */
  look(id: string): void {
    const { user, online, status, lastActive, freshness, asOf } = this.presenceOf(id);
    const before = this.#people.get(id);
    this.#people.set(id, {
      id,
      online,
      freshness,
      asOf,
      // Of whom nothing is known any more, the name is still theirs.
      name: user?.name || before?.name || id,
      status: user ? (status ?? '') : (before?.status ?? ''),
      lastActive: lastActive ?? before?.lastActive ?? null,
    });
    this.changed.send(id);
  }

  lookAtAll(): void {
    for (const id of this.#people.keys()) this.look(id);
  }
}
