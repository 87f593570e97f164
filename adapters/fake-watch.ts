// The watch of `rollcall/testing`.

import type { Presence, PresenceChange, PresenceWatch, Subscription } from 'rollcall';
import { problem, tell, type FakeClient } from './fake-client.ts';
import { unknown } from './roster.ts';

type Handler<Custom> = (change: PresenceChange<Custom>) => void;

export class FakeWatch<Custom> implements PresenceWatch<Custom> {
  readonly #client: FakeClient<Custom>;
  readonly #ids = new Set<string>();
  readonly #handlers = new Set<Handler<Custom>>();
  readonly #readers = new Set<Reader<Custom>>();
  #ended = false;

  constructor(client: FakeClient<Custom>) {
    this.#client = client;
    client.listen(this, (change) => {
      tell(this.#handlers, change);
      for (const reader of this.#readers) reader.push(change);
    });
  }

  get ids(): string[] {
    return [...this.#ids];
  }

  get size(): number {
    return this.#ids.size;
  }

  get(id: string): Presence<Custom> {
    return this.#ids.has(id) ? this.#client.known(id) : unknown(id);
  }

  async add(ids: readonly string[]): Promise<void> {
    if (this.#ended) throw problem('invalid_argument', 'watch.add: this watch has ended; call client.watchPresence(ids) for another');
    if (!Array.isArray(ids) || ids.some((id) => typeof id !== 'string' || !/^[\w@!-]+$/.test(id))) {
      throw problem('invalid_argument', 'watch.add: give an array of ids of users');
    }
    for (const id of ids) {
      this.#ids.add(id);
      this.#client.watch(this, id);
    }
  }

  remove(ids: readonly string[]): void {
    for (const id of ids) if (this.#ids.delete(id)) this.#client.unwatch(this, id);
  }

  on(_type: 'change', handler: Handler<Custom>): Subscription {
    this.#handlers.add(handler);
    return { unsubscribe: () => void this.#handlers.delete(handler) };
  }

  off(_type: 'change', handler: Handler<Custom>): void {
    this.#handlers.delete(handler);
  }

  stop(): void {
    this.end();
    this.remove(this.ids);
  }

  /** Nothing more comes. */
  end(): void {
    this.#ended = true;
    this.#client.listen(this, null);
    for (const reader of this.#readers) reader.end();
    this.#readers.clear();
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<PresenceChange<Custom>> {
    const reader = new Reader<Custom>(() => this.#readers.delete(reader));
    if (this.#ended) reader.end();
    else this.#readers.add(reader);
    return reader;
  }
}

/** Of each user the newest change waits, until it is read. */
class Reader<Custom> implements AsyncIterableIterator<PresenceChange<Custom>> {
  readonly #waiting = new Map<string, PresenceChange<Custom>>();
  readonly #leave: () => void;
  #wake = () => {};
  #ended = false;

  constructor(leave: () => void) {
    this.#leave = leave;
  }

  push(change: PresenceChange<Custom>): void {
    this.#waiting.set(change.id, change);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#waiting.clear();
    this.#wake();
  }

  async next(): Promise<IteratorResult<PresenceChange<Custom>>> {
    while (!this.#ended && !this.#waiting.size) await new Promise<void>((resolve) => (this.#wake = resolve));
    for (const [id, value] of this.#waiting) {
      this.#waiting.delete(id);
      return { done: false, value };
    }
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<PresenceChange<Custom>>> {
    this.end();
    this.#leave();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
