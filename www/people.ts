import type { Freshness, Presence as Known, User } from 'rollcall';
import { Signal } from './signal';

/** What can truly be said of somebody: offline and unknown differ. */
export type Presence = 'online' | 'offline' | 'unknown';

export interface Person {
  id: string;
  name: string;
  status: string;
  lastActive: Date | undefined;
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

  constructor(readonly me: string) {}

  /** Whether what is known is how things are now. */
  get current(): boolean {
    return this.#current;
  }

  /** While what is known may be old, I am offline: that much I do know. */
  setCurrent(current: boolean): void {
    if (this.#current === current) return;
    this.#current = current;
    for (const id of this.#people.keys()) this.changed.send(id);
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

  /** Keeps what a reply or an event says of `user`. */
  keep(user: User): void {
    const { freshness = 'unknown', asOf = null } = this.#people.get(user.id) ?? {};
    this.#people.set(user.id, {
      id: user.id,
      name: user.name || user.id,
      status: user.status ?? '',
      lastActive: user.last_active ? new Date(user.last_active) : undefined,
      online: user.online ?? false,
      freshness,
      asOf,
    });
    this.changed.send(user.id);
  }

  /** How far what is known of somebody can be trusted from now on. */
  trust({ id, freshness, asOf }: Known): void {
    const person = this.#people.get(id);
    if (!person) return;
    Object.assign(person, { freshness, asOf });
    this.changed.send(id);
  }
}
