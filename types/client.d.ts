import type { Channel, ChannelInput } from './channel.js';
import type { CustomFields } from './custom.js';
import type { EventMap, EventType, PresenceEvent, Subscription } from './events.js';
import type { ChannelFilter, ChannelSort, QueryChannelsOptions, QueryUsersOptions, RequestOptions, UserFilter, UserSort } from './query.js';
import type { CurrentUser, PartialUserUpdate, User, UserInput, UsersResponse } from './user.js';
import type { PresenceWatch } from './watch.js';

/**
 * What {@link PresenceClient} may be told.
 *
 * @example
 * const options: ClientOptions = { baseURL: 'https://presence.example.com', timeout: 5000 };
 * const client = new PresenceClient(apiKey, options);
 */
export interface ClientOptions {
  /** Where the server is, for instance `https://presence.example.com`. Default: the hosted service. */
  baseURL?: string;
  /**
   * Milliseconds for which the server may let changes wait for one another, 1000 at the most; the
   * first one after a quiet time never waits. A page pays for each message that it is sent, so one
   * that watches thousands is far less busy with 100. Default: what the server is set to, 5.
   */
  batchWindow?: number;
  /** Milliseconds after which a request rejects with code `timeout`. Default 10000. */
  timeout?: number;
}

/**
 * What the connection was doing at the moment it was asked.
 *
 * @example
 * client.on('connection.state', ({ connection }: { connection: Connection }) => {
 *   const { state, inDoubt, nextTryIn } = connection;
 *   if (state === 'waiting') console.log(`reconnecting in ${Math.ceil((nextTryIn ?? 0) / 1000)} s`);
 *   else if (inDoubt) console.log('is the network still there?');
 * });
 */
export interface Connection {
  /**
   * - `disconnected`: nobody is connected, and nothing is being done about it.
   * - `connecting`: a token is being fetched, or a socket opened.
   * - `connected`: the server has let the user in.
   * - `waiting`: the connection is lost, or could not be made; the next attempt comes by itself.
   */
  readonly state: 'disconnected' | 'connecting' | 'connected' | 'waiting';
  /** When `state` began. */
  readonly since: Date;
  /**
   * True while `connected` when what is shown may no longer be so, and is therefore stale: the
   * machine slept, the network changed, or the server is silent, until it gives the sign of life
   * that it was asked for; or the server says that it may be wrong about others, until it says that
   * it no longer is.
   */
  readonly inDoubt: boolean;
  /** When the server was last heard, on this connection or the one before; null when it never was. */
  readonly lastHeard: Date | null;
  /** Milliseconds until the next attempt while `waiting`; null otherwise. */
  readonly nextTryIn: number | null;
}

/**
 * A token, or what fetches one: called when a token is needed, and again when it has expired.
 *
 * @example
 * const fetchToken: TokenOrProvider = () => fetch('/token').then((reply) => reply.text());
 * await client.connectUser({ id: 'jill' }, fetchToken);
 */
export type TokenOrProvider = string | (() => Promise<string>);

/**
 * One user's connection to a presence server.
 *
 * @example
 * const client = new PresenceClient(apiKey, { baseURL: 'http://localhost:8800' });
 * await client.connectUser({ id: 'john' }, token);
 * client.on('user.presence.changed', ({ user }) => console.log(user.id, user.online));
 * await client.queryUsers({ id: { $in: ['jack', 'jill'] } }, { id: 1 }, { presence: true });
 *
 * @example
 * interface Player {
 *   level: number;
 * }
 * const client = new PresenceClient<Player>(apiKey, { baseURL });
 * await client.connectUser({ id: 'john', level: 3 }, token);
 * const { users } = await client.queryUsers({ level: { $gte: 3 } });
 * console.log(users.map(({ level }) => level + 1));
 *
 * @typeParam Custom Fields of your own that users carry.
 */
export declare class PresenceClient<Custom = CustomFields> {
  /**
   * Nothing is sent before `connectUser`. Throws with code `invalid_argument` for what it cannot use.
   *
   * @example
   * const client = new PresenceClient(apiKey, { baseURL: 'https://presence.example.com' });
   */
  constructor(apiKey: string, options?: ClientOptions);

  /**
   * The connected user, kept current; called with an id, anybody.
   *
   * Unlike the official SDK's, it is there before anybody is connected, without any fields then:
   * `client.user?.id` is undefined in both, and `client.userID` tells whether somebody is
   * connected. It is a function: `{ ...client.user }` is an object that can be posted to a worker.
   *
   * @example
   * client.user.status; // mine
   * client.user('jack').on('presence', ({ online }) => console.log(online));
   */
  readonly user: CurrentUser<Custom>;
  /** The connected user's id; undefined while nobody is connected. */
  readonly userID: string | undefined;
  /** The address requests go to. */
  readonly baseURL: string;
  /** What the connection is doing, since when, and what comes next: a new object each time; `connection.state` tells of changes. */
  readonly connection: Connection;

  /**
   * Connects as `user`, creating or updating them. Resolves with the server's first frame.
   * Afterwards a lost connection comes back by itself, and what was watched with it.
   *
   * Called again with the same user while connected, it resolves with the same frame.
   *
   * @example
   * const { me } = await client.connectUser({ id: 'jill', name: 'Jill' }, () => fetch('/token').then((reply) => reply.text()));
   * console.log(me?.last_active);
   */
  connectUser(
    user: UserInput<Custom>,
    tokenOrProvider: TokenOrProvider,
    options?: RequestOptions,
  ): Promise<EventMap<Custom>['health.check']>;
  /**
   * Says goodbye: the user is offline at once. Listeners stay; what was watched is forgotten.
   *
   * @example
   * await client.disconnectUser();
   */
  disconnectUser(): Promise<void>;
  /**
   * A token that only servers started with development tokens accept.
   *
   * @example
   * await client.connectUser({ id: 'jill' }, client.devToken('jill'));
   */
  devToken(userID: string): string;

  /**
   * Creates or updates a user. Keys that are absent keep their value.
   *
   * @example
   * await client.upsertUser({ id: 'jill', status: 'Eating a veggie burger...' });
   */
  upsertUser(user: UserInput<Custom>, options?: RequestOptions): Promise<UsersResponse<Custom>>;
  /**
   * As {@link upsertUser}, for up to 100 users: all or none.
   *
   * @example
   * await client.upsertUsers([{ id: 'jill', name: 'Jill' }]);
   */
  upsertUsers(users: readonly UserInput<Custom>[], options?: RequestOptions): Promise<UsersResponse<Custom>>;
  /**
   * Sets and removes single fields of a user.
   *
   * @example
   * await client.partialUpdateUser({ id: 'jill', set: { 'pets.cat': 'Tom' }, unset: ['status'] });
   */
  partialUpdateUser(update: PartialUserUpdate, options?: RequestOptions): Promise<UsersResponse<Custom>>;
  /**
   * As {@link partialUpdateUser}, for up to 100 users: all or none.
   *
   * @example
   * await client.partialUpdateUsers([{ id: 'jill', unset: ['status'] }]);
   */
  partialUpdateUsers(updates: readonly PartialUserUpdate[], options?: RequestOptions): Promise<UsersResponse<Custom>>;
  /**
   * Hides the connected user from everyone else, until {@link markVisible}.
   *
   * @example
   * await client.markInvisible();
   */
  markInvisible(options?: RequestOptions): Promise<UsersResponse<Custom>>;
  /**
   * Shows the connected user again.
   *
   * @example
   * await client.markVisible();
   */
  markVisible(options?: RequestOptions): Promise<UsersResponse<Custom>>;

  /**
   * Finds users. With `presence: true`, keeps telling of their changes.
   *
   * @example
   * const { users } = await client.queryUsers({ id: { $in: ['jack', 'joan'] } }, { id: 1 }, { presence: true });
   * console.log(users.filter(({ online }) => online).length, 'are here');
   */
  queryUsers(filter: UserFilter<Custom>, sort?: UserSort<Custom>, options?: QueryUsersOptions): Promise<{ users: User<Custom>[] }>;
  /**
   * Finds channels and watches them. With `presence: true`, keeps telling of their members' changes.
   *
   * @example
   * const channels = await client.queryChannels({ members: { $in: ['jill'] } }, { last_message_at: -1 }, { presence: true });
   * for (const { cid, state } of channels) console.log(cid, Object.keys(state.members));
   */
  queryChannels(filter: ChannelFilter, sort?: ChannelSort, options?: QueryChannelsOptions): Promise<Channel<Custom>[]>;

  /**
   * Watches any number of users: their presence is kept current, through reconnects too, until the
   * watch is stopped. Resolves when there is word of all of them; they are asked for in pages, of a
   * thousand where the server takes that and of a hundred elsewhere, and a page that fails for a
   * while is asked for again. There is no deadline but that of your `signal`: while the network is
   * away, it waits.
   *
   * Users whom the server does not know stay in the watch as `unknown`, and are asked about again
   * only by a reconnect or another watch: have your backend create them first. Whoever is watched
   * by several watches, or by a query with `presence: true` as well, is watched once; whom nobody
   * watches any more is forgotten. The protocol has no word for that: `user.presence.changed` of
   * them may still come until the connection ends.
   *
   * Rejects with `invalid_argument` when `ids` is not an array of users' ids, `not_connected`,
   * `disconnected`, `aborted`, or the protocol's code when the server refuses.
   *
   * @example
   * const watch = await client.watchPresence(['jack', 'jill']);
   * watch.on('change', ({ id, online }) => console.log(id, online));
   * console.log(watch.get('jack').online);
   */
  watchPresence(ids: readonly string[], options?: RequestOptions): Promise<PresenceWatch<Custom>>;

  /**
   * A channel by its id, or by its members when it has none; the same object each time. One that
   * `queryChannels` has found is the one with its id; asked for by its members it is another object,
   * which is kept current as well. Nothing is sent until one of its methods is called.
   *
   * @example
   * const lunch = client.channel('messaging', 'lunch', { members: ['jack', 'jill'], color: 'green' });
   * await lunch.watch({ presence: true });
   */
  channel(type: string, id?: string | null, data?: ChannelInput): Channel<Custom>;
  /**
   * A channel by its members.
   *
   * @example
   * const justUs = client.channel('messaging', { members: ['jack', 'jill'] });
   * await justUs.create();
   */
  channel(type: string, data: ChannelInput): Channel<Custom>;

  /**
   * Calls `handler` with every event of one type.
   *
   * @example
   * const { unsubscribe } = client.on('user.presence.changed', ({ user }) => console.log(user.id, user.online));
   */
  on<T extends EventType>(type: T, handler: (event: EventMap<Custom>[T]) => void): Subscription;
  /**
   * Calls `handler` with every event.
   *
   * @example
   * client.on((event) => console.log(event.type));
   */
  on(handler: (event: PresenceEvent<Custom>) => void): Subscription;
  /**
   * Removes a handler that `on` was given.
   *
   * @example
   * const tell = ({ user }: UserEvent) => console.log(user.status);
   * client.on('user.updated', tell);
   * client.off('user.updated', tell);
   */
  off<T extends EventType>(type: T, handler: (event: EventMap<Custom>[T]) => void): void;
  /**
   * Removes a handler of every event.
   *
   * @example
   * const log = (event: PresenceEvent) => console.log(event.type);
   * client.on(log);
   * client.off(log);
   */
  off(handler: (event: PresenceEvent<Custom>) => void): void;
}
