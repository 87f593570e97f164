/**
 * For the tests of apps: `rollcall/testing`, a client without a server, of the same types, whose
 * people come and go when the test says so, and whose time passes when the test says so.
 *
 * It knows people, their presence and their profiles, and what becomes of it all when a connection
 * is lost. It has no channels: those calls reject, or throw, and say so.
 *
 * @packageDocumentation
 *
 * @example
 * import { fakePresence } from 'rollcall/testing';
 *
 * const fake = fakePresence({ user: 'john', users: ['bob'] });
 * const watch = await fake.client.watchPresence(['bob']);
 * fake.goOnline('bob');
 * console.log(watch.get('bob').online); // true
 */

import type { CustomFields, PresenceClient, User } from 'rollcall';
import { FakeClient } from './fake-client.ts';

/**
 * Somebody, and whatever fields of theirs the test cares for.
 *
 * @example
 * const bob: FakeUser = { id: 'bob', name: 'Bob', online: true };
 */
export type FakeUser<Custom = CustomFields> = Partial<User<Custom>> & Pick<User<Custom>, 'id'>;

/**
 * What {@link fakePresence} may be told.
 *
 * @example
 * const options: FakeOptions = { user: 'john', users: ['bob', { id: 'joan', online: true }] };
 * const fake = fakePresence(options);
 */
export interface FakeOptions<Custom = CustomFields> {
  /** Who is connected from the beginning; without it nobody is until the app calls `connectUser`. */
  user?: string;
  /** Who exists. Whoever is not among them, and was never online, is unknown. */
  users?: readonly (string | FakeUser<NoInfer<Custom>>)[];
  /** When the test begins; time stands still until {@link FakePresence.advance}. Default 2026-01-01, midnight in UTC. */
  now?: Date;
}

/**
 * A test's hold of the world in which {@link FakePresence.client} lives.
 *
 * @example
 * const fake: FakePresence = fakePresence({ user: 'john', users: ['bob'] });
 */
export interface FakePresence<Custom = CustomFields> {
  /** Give it to the app in place of a real one. */
  readonly client: PresenceClient<Custom>;
  /**
   * Somebody, other than the client's own user, comes online; they are created when there was no such user.
   *
   * @example
   * fake.goOnline('bob', { status: 'Lunch' });
   */
  goOnline(id: string, fields?: Partial<User<Custom>>): void;
  /**
   * Somebody goes offline.
   *
   * @example
   * fake.goOffline('bob');
   */
  goOffline(id: string): void;
  /**
   * Somebody's status text becomes another; null for none.
   *
   * @example
   * fake.setStatus('bob', 'Lunch');
   */
  setStatus(id: string, status: string | null): void;
  /**
   * The network is gone: all that is known is stale, and what people do is not heard of.
   *
   * @example
   * fake.loseConnection();
   */
  loseConnection(): void;
  /**
   * The network is back: what was missed is learnt, as `resync`.
   *
   * @example
   * fake.loseConnection();
   * fake.goOnline('bob');
   * fake.reconnect(); // and only now the app hears of bob
   */
  reconnect(): void;
  /**
   * Lets so many milliseconds pass.
   *
   * @example
   * fake.advance(5_000);
   */
  advance(milliseconds: number): void;
}

/**
 * A client without a server, and the strings that move its world. What a call changes has been
 * told to all listeners when the call returns.
 *
 * @example
 * import { act, render, screen } from '@testing-library/react';
 * import { PresenceProvider } from 'rollcall/react';
 *
 * const fake = fakePresence({ user: 'john', users: ['bob'] });
 * render(<PresenceProvider client={fake.client}><Person id="bob" /></PresenceProvider>);
 * await screen.findByText('bob: offline');
 * act(() => fake.goOnline('bob'));
 * screen.getByText('bob: online');
 */
export function fakePresence<Custom = CustomFields>(options: FakeOptions<Custom> = {}): FakePresence<Custom> {
  const client = new FakeClient<Custom>(options.now ?? new Date('2026-01-01T00:00:00Z'));
  for (const user of options.users ?? []) client.write(typeof user === 'string' ? { id: user } : user);
  if (options.user !== undefined) client.enter({ id: options.user });
  return {
    client,
    goOnline: (id, fields) => client.write({ ...fields, id, online: true }),
    goOffline: (id) => client.write({ id, online: false }),
    setStatus: (id, status) => client.write({ id, status: status ?? undefined }),
    loseConnection: () => client.lose(),
    reconnect: () => client.regain(),
    advance: (milliseconds) => client.advance(milliseconds),
  };
}
