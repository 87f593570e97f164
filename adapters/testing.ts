/**
 * For the tests of apps: `rollcall/testing`, a client without a server, of the same types, whose
 * people come and go when the test says so, and whose time passes when the test says so.
 *
 * It is the real client, down to its checks and its errors. In place of the WebAssembly and of the
 * network it has a small server in the same process, which knows people, their presence and
 * profiles, and channels with their members, watchers and messages.
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

import type { ChannelInput, CustomFields, EventType, Message, MessageInput, PresenceClient, User } from 'rollcall';
import { PresenceClient as Page } from '../src/page/client.js';
import { Clock } from './testing/clock.ts';
import type { StoredChannel } from './testing/channel.ts';
import { FakeEngine } from './testing/engine.ts';
import { Server } from './testing/server.ts';
import type { UserFields } from './testing/users.ts';

/**
 * Somebody, and whatever fields of theirs the test cares for.
 *
 * @example
 * const bob: FakeUser = { id: 'bob', name: 'Bob', online: true };
 */
export type FakeUser<Custom = CustomFields> = Partial<User<Custom>> & Pick<User<Custom>, 'id'>;

/**
 * What is in a channel that the test makes.
 *
 * @example
 * const data: FakeChannelData = { members: ['john', 'bob'], color: 'green' };
 * fake.channel('messaging', 'lunch', data);
 */
export type FakeChannelData = ChannelInput & {
  /** Who created it, and therefore may read and write there without being a member. */
  created_by_id?: string;
};

/**
 * A channel that is there from the beginning: which, and what is in it.
 *
 * @example
 * const lunch: FakeChannelInput = { type: 'messaging', id: 'lunch', members: ['john', 'bob'], color: 'green' };
 * const fake = fakePresence({ user: 'john', users: ['bob'], channels: [lunch] });
 */
export type FakeChannelInput = FakeChannelData & {
  /** `messaging`, `team`, `commerce`, `livestream` or `gaming`. */
  type: string;
  /** Its id, within its type. */
  id: string;
};

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
  /** Which channels there are; their members exist as well. */
  channels?: readonly FakeChannelInput[];
  /** When the test begins; time stands still until {@link FakePresence.advance}. Default 2026-01-01, midnight in UTC. */
  now?: Date;
}

/**
 * A test's hold of one channel: what others do there.
 *
 * @example
 * const lunch: FakeChannel = fake.channel('messaging', 'lunch');
 * lunch.sendMessage('bob', 'Pizza?');
 */
export interface FakeChannel<Custom = CustomFields> {
  /** `type:id`. */
  readonly cid: string;
  /**
   * Somebody becomes a member; they are created when there was no such user.
   *
   * @example
   * fake.channel('messaging', 'lunch').addMember('joan');
   */
  addMember(id: string): void;
  /**
   * Somebody is no longer a member. When it is the client's own user, the channel is theirs no more.
   *
   * @example
   * fake.channel('messaging', 'lunch').removeMember('joan');
   */
  removeMember(id: string): void;
  /**
   * Somebody opens the channel, and comes online for it; until they go offline or stop.
   *
   * @example
   * fake.channel('messaging', 'lunch').startWatching('bob');
   */
  startWatching(id: string): void;
  /**
   * Somebody leaves the channel, and stays online.
   *
   * @example
   * fake.channel('messaging', 'lunch').stopWatching('bob');
   */
  stopWatching(id: string): void;
  /**
   * Somebody writes.
   *
   * @example
   * const { id } = fake.channel('messaging', 'lunch').sendMessage('bob', 'Pizza?');
   */
  sendMessage(id: string, message: string | MessageInput): Message<Custom>;
  /**
   * Somebody does something else: `typing.start`, or an event of your own.
   *
   * @example
   * fake.channel('messaging', 'lunch').sendEvent('bob', 'typing.start');
   */
  sendEvent(id: string, type: EventType, fields?: Record<string, unknown>): void;
  /**
   * The channel's data changes; fields that are not named stay, and so do its members.
   *
   * @example
   * fake.channel('messaging', 'lunch').update({ name: 'Dinner' });
   */
  update(data: ChannelInput): void;
  /**
   * The channel is gone.
   *
   * @example
   * fake.channel('messaging', 'lunch').delete();
   */
  delete(): void;
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
   * Somebody goes offline. Throws when there is no such user: a misspelt id would test nothing.
   *
   * @example
   * fake.goOffline('bob');
   */
  goOffline(id: string): void;
  /**
   * Somebody's status text becomes another; null for none. Throws when there is no such user.
   *
   * @example
   * fake.setStatus('bob', 'Lunch');
   */
  setStatus(id: string, status: string | null): void;
  /**
   * The hold of a channel; it is created when there was none.
   *
   * @example
   * const lunch = fake.channel('messaging', 'lunch', { members: ['john', 'bob'] });
   * lunch.startWatching('bob');
   */
  channel(type: string, id: string, data?: FakeChannelData): FakeChannel<Custom>;
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
  const server = new Server(new Clock(options.now ?? new Date('2026-01-01T00:00:00Z')));
  const page = new Page('fake', { baseURL: 'https://rollcall.invalid' });
  const engine = new FakeEngine(server, page);
  // It has all that the real client calls of the other one.
  page._engine = engine as any;
  for (const user of options.users ?? []) server.write(typeof user === 'string' ? { id: user } : (user as UserFields));
  const fake: FakePresence<Custom> = {
    // Its types are what an app sees of this class.
    client: page as unknown as PresenceClient<Custom>,
    goOnline: (id, fields) => server.write({ ...fields, id, online: true }),
    goOffline: (id) => server.write({ id: known(server, id), online: false }),
    setStatus: (id, status) => server.write({ id: known(server, id), status: status ?? undefined }),
    channel: (type, id, { members = [], created_by_id, ...data } = {}) => {
      for (const member of members) create(server, member);
      const channel = server.channels.get(type, id) ?? server.channels.create(type, id, created_by_id, { ...data, members });
      return hold<Custom>(server, channel);
    },
    loseConnection: () => engine.lose(),
    reconnect: () => engine.regain(),
    advance: (milliseconds) => engine.advance(milliseconds),
  };
  for (const { type, id, ...data } of options.channels ?? []) fake.channel(type, id, data);
  if (options.user !== undefined) {
    void page.connectUser({ id: options.user }, page.devToken(options.user));
    // No test has to wait for it.
    engine.openAtOnce();
  }
  return fake;
}

/** Somebody exists from now on. */
function create(server: Server, id: string): void {
  if (!server.users.has(id)) server.write({ id });
}

/** The id of somebody who exists. */
function known(server: Server, id: string): string {
  if (server.users.has(id)) return id;
  throw new Error(`fakePresence knows no user "${id}": name them in its option "users", or let them goOnline first`);
}

function hold<Custom>(server: Server, channel: StoredChannel): FakeChannel<Custom> {
  return {
    cid: channel.cid,
    addMember: (id) => {
      create(server, id);
      channel.addMember(id);
    },
    removeMember: (id) => channel.removeMember(id),
    startWatching: (id) => {
      if (!server.users.get(id)?.online) server.write({ id, online: true });
      channel.joinWatchers(id);
    },
    stopWatching: (id) => channel.leaveWatchers(id),
    sendMessage: (id, message) => {
      create(server, id);
      return channel.write(id, typeof message === 'string' ? { text: message } : { ...message }) as Message<Custom>;
    },
    sendEvent: (id, type, fields = {}) => {
      create(server, id);
      channel.happen(type, id, fields);
    },
    update: ({ members, ...data }) => channel.update(data),
    delete: () => server.channels.delete(channel),
  };
}
