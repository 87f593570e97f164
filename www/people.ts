import type { User } from 'rollcall';
import { Signal } from './signal';

/** What can truly be said of somebody: offline and unknown differ. */
export type Presence = 'online' | 'offline' | 'unknown';

export interface Person {
  id: string;
  name: string;
  status: string;
  lastActive: Date | undefined;
  online: boolean;
  /** When this was last known to be so; undefined while it is certain. */
  asOf: Date | undefined;
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

  /** While what is known may be old, others are `unknown`, and I am offline: that much I do know. */
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
    return !person || !this.#current ? 'unknown' : person.online ? 'online' : 'offline';
  }

  /** Keeps what a reply or an event says of `user`. */
  keep(user: User): void {
    this.#people.set(user.id, {
      id: user.id,
      name: user.name || user.id,
      status: user.status ?? '',
      lastActive: user.last_active ? new Date(user.last_active) : undefined,
      online: user.online ?? false,
      asOf: this.#people.get(user.id)?.asOf,
    });
    this.changed.send(user.id);
  }

  /** What is known of somebody was so at `asOf`, and may be otherwise by now; null: it is so. */
  doubt(id: string, asOf: Date | null): void {
    const person = this.#people.get(id);
    if (!person) return;
    person.asOf = asOf ?? undefined;
    this.changed.send(id);
  }
}
