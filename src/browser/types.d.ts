/**
 * Rollcall: who is online.
 *
 * Names and shapes follow the Stream Chat presence protocol, so that presence code written for
 * the official SDK moves over by changing its import.
 *
 * @packageDocumentation
 */

/// <reference lib="esnext.disposable" />

/** A date and time, RFC 3339 in UTC: `2026-01-31T12:00:00.000Z`. */
export type Timestamp = string;

/** Fields of your own on users; extend it by the generic of {@link PresenceClient}. */
export type CustomFields = Record<string, unknown>;

/** A user as everyone may see them. An invisible user looks offline. */
export type User<Custom = CustomFields> = Custom & {
  id: string;
  name?: string;
  image?: string;
  role?: string;
  teams?: string[];
  /** Whether the user has a live connection and is not invisible. */
  online?: boolean;
  /** When the user was last active; absent until their first connection. */
  last_active?: Timestamp;
  /** Free text that the user shows to others. */
  status?: string;
  created_at?: Timestamp;
  updated_at?: Timestamp;
  deactivated_at?: Timestamp;
  deleted_at?: Timestamp;
  banned?: boolean;
  language?: string;
};

/** The connected user as only they may see themselves. */
export type OwnUser<Custom = CustomFields> = User<Custom> & {
  invisible?: boolean;
  devices?: unknown[];
  mutes?: unknown[];
  channel_mutes?: unknown[];
  unread_count?: number;
  total_unread_count?: number;
  unread_channels?: number;
};

/** The connected user's fields, none while nobody is connected; and a function that gives anybody by their id. */
export type CurrentUser<Custom = CustomFields> = Readonly<Partial<OwnUser<Custom>>> & ((id: string) => UserPresence<Custom>);

/** What one may write of a user. Keys that are absent keep their value. */
export type UserInput<Custom = CustomFields> = Partial<Custom> & {
  id: string;
  name?: string;
  image?: string;
  language?: string;
  status?: string;
  /** Hides the user from everyone else until it is set to false, through any number of reconnects. */
  invisible?: boolean;
  role?: string;
  teams?: string[];
};

/** A change of some fields of a user; `set` may use dotted paths into nested fields. */
export interface PartialUserUpdate {
  id: string;
  set?: Record<string, unknown>;
  unset?: string[];
}

/** A user's place in a channel. */
export interface Member<Custom = CustomFields> {
  user_id: string;
  user: User<Custom>;
  channel_role?: string;
  role?: string;
  created_at?: Timestamp;
  updated_at?: Timestamp;
  [field: string]: unknown;
}

/** A message; its `user` carries the author's presence and is kept current. */
export interface Message<Custom = CustomFields> {
  id: string;
  text?: string;
  user: User<Custom> | null;
  cid?: string;
  created_at: Timestamp;
  updated_at?: Timestamp;
  [field: string]: unknown;
}

/** What is known of a channel itself. */
export interface ChannelData {
  id: string;
  type: string;
  cid: string;
  name?: string;
  created_at?: Timestamp;
  updated_at?: Timestamp;
  last_message_at?: Timestamp;
  member_count?: number;
  [field: string]: unknown;
}

/** A channel as the server returns it. */
export interface ChannelResponse<Custom = CustomFields> {
  channel: ChannelData;
  members: Member<Custom>[];
  messages: Message<Custom>[];
  watchers?: User<Custom>[];
  watcher_count?: number;
  membership?: Member<Custom> | null;
  read?: unknown[];
  /** Rollcall's servers: members left out of the presence subscription because its limit was reached. */
  presence_omitted?: number;
  duration?: string;
  [field: string]: unknown;
}

/**
 * A channel kept live: every `user` in it is replaced as their presence changes. Servers tell of a
 * limited number of members (the hosted service of ten); `client.user(id).presence.freshness` says
 * of each whether it is `live`, and {@link PresenceClient.watchPresence} makes it so.
 */
export interface ChannelState<Custom = CustomFields> {
  readonly members: Readonly<Record<string, Member<Custom>>>;
  readonly watchers: Readonly<Record<string, User<Custom>>>;
  readonly watcher_count: number;
  readonly messages: readonly Message<Custom>[];
  readonly membership: Member<Custom> | null;
}

// ---------------------------------------------------------------------------------------------
// Presence

/**
 * How far what is known of somebody can be trusted.
 *
 * - `live`: it is so now; the connection is alive, and every change arrives.
 * - `stale`: it was so once. Since then the connection has been in doubt or lost, or nothing tells
 *   of changes: of a large channel's members, servers tell of the first ones only.
 * - `unknown`: the server has not said, or says that there is no such user. Not the same as offline.
 */
export type Freshness = 'live' | 'stale' | 'unknown';

/** What is known of somebody's presence. */
export interface Presence<Custom = CustomFields> {
  id: string;
  /** False also for the unknown: see `freshness`. */
  online: boolean;
  /** When they were last active; null until their first connection. */
  lastActive: Date | null;
  /** Free text that they show to others; null when there is none. */
  status: string | null;
  freshness: Freshness;
  /** When all this was last known to be so, by this machine's clock; null unless it is stale. */
  asOf: Date | null;
  /** The user as last shown, deleted ones too; undefined for whom the server does not know. */
  user: User<Custom> | undefined;
}

/** A change of somebody's presence or profile, or of its freshness: how it is from now on. */
export interface PresenceChange<Custom = CustomFields> extends Presence<Custom> {
  /** Whether it was learnt by asking again after a reconnect: it may have happened long before. */
  resync: boolean;
}

// ---------------------------------------------------------------------------------------------
// Filters, sorts, options

/** Values that can be compared. */
export type FilterValue = string | number | boolean | null;

/** Operators on one field; a bare value means `$eq`. */
export type FieldFilter =
  | FilterValue
  | readonly FilterValue[]
  | {
      $eq?: FilterValue | readonly FilterValue[];
      $ne?: FilterValue;
      $gt?: FilterValue;
      $gte?: FilterValue;
      $lt?: FilterValue;
      $lte?: FilterValue;
      $in?: readonly FilterValue[];
      $nin?: readonly FilterValue[];
      $exists?: boolean;
      $autocomplete?: string;
      $contains?: FilterValue;
      $q?: string;
    };

/** Conditions by field, all of which must hold; `$and`, `$or` and `$nor` take lists of filters. */
export type Filter = {
  $and?: readonly Filter[];
  $or?: readonly Filter[];
  $nor?: readonly Filter[];
} & { [field: string]: FieldFilter | readonly Filter[] | undefined };

/** Fields by direction: 1 ascending, -1 descending. A list keeps its order; at most 5 fields. */
export type Sort = Record<string, 1 | -1> | readonly Record<string, 1 | -1>[];

/** Options that every request takes. */
export interface RequestOptions {
  /** Ends the request early; its promise rejects with code `aborted`. */
  signal?: AbortSignal;
}

export interface QueryUsersOptions extends RequestOptions {
  /** Be told of these users' changes, through reconnects too. Default false. */
  presence?: boolean;
  /** At most 100; default 30. */
  limit?: number;
  /** At most 1000. */
  offset?: number;
  id_gt?: string;
  id_gte?: string;
  id_lt?: string;
  id_lte?: string;
  include_deactivated_users?: boolean;
}

export interface ChannelQueryOptions extends RequestOptions {
  /** Return members, messages and watchers. Default true in `watch` and `queryChannels`. */
  state?: boolean;
  /** Be told of the channel's events. Default true in `watch` and `queryChannels`. */
  watch?: boolean;
  /** Be told of the members' presence. Default false. */
  presence?: boolean;
  messages?: { limit?: number; id_lt?: string; id_lte?: string; id_gt?: string; id_gte?: string };
  members?: { limit?: number; offset?: number };
  watchers?: { limit?: number; offset?: number };
}

export interface QueryChannelsOptions extends RequestOptions {
  state?: boolean;
  watch?: boolean;
  presence?: boolean;
  /** At most 30; default 10. */
  limit?: number;
  /** At most 1000. */
  offset?: number;
  message_limit?: number;
  member_limit?: number;
}

export interface ClientOptions {
  /** Where the server is, for instance `https://presence.example.com`. Default: the hosted service. */
  baseURL?: string;
  /** Milliseconds after which a request rejects with code `timeout`. Default 10000. */
  timeout?: number;
}

/** What the connection was doing at the moment it was asked. */
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
   * True while `connected` when that may no longer be so: the machine slept, the network changed,
   * or the server is silent. It has been asked for a sign of life, and what is shown is stale
   * until it gives one.
   */
  readonly inDoubt: boolean;
  /** When the server was last heard, on this connection or the one before; null when it never was. */
  readonly lastHeard: Date | null;
  /** Milliseconds until the next attempt while `waiting`; null otherwise. */
  readonly nextTryIn: number | null;
}

/** A token, or what fetches one: called when a token is needed, and again when it has expired. */
export type TokenOrProvider = string | (() => Promise<string>);

// ---------------------------------------------------------------------------------------------
// Events

interface BaseEvent {
  created_at?: Timestamp;
  [field: string]: unknown;
}

interface UserEvent<Custom> extends BaseEvent {
  user: User<Custom>;
}

interface ChannelEvent extends BaseEvent {
  cid: string;
  channel_type: string;
  channel_id: string;
}

interface ChannelUserEvent<Custom> extends ChannelEvent {
  user: User<Custom>;
}

/** Every event by its `type`. */
export interface EventMap<Custom = CustomFields> {
  /** A watched user came online or went offline. */
  'user.presence.changed': UserEvent<Custom> & {
    type: 'user.presence.changed';
    /** True when the change happened while disconnected and was learnt by asking again. */
    resync?: boolean;
  };
  /** A watched user's profile changed: their name, their status… */
  'user.updated': UserEvent<Custom> & { type: 'user.updated' };
  'user.deleted': UserEvent<Custom> & { type: 'user.deleted'; hard_delete?: boolean };
  /** Somebody began to watch a channel that you watch. */
  'user.watching.start': ChannelUserEvent<Custom> & { type: 'user.watching.start'; watcher_count?: number };
  'user.watching.stop': ChannelUserEvent<Custom> & { type: 'user.watching.stop'; watcher_count?: number };
  'typing.start': ChannelUserEvent<Custom> & { type: 'typing.start' };
  'typing.stop': ChannelUserEvent<Custom> & { type: 'typing.stop' };
  'member.added': ChannelEvent & { type: 'member.added'; member: Member<Custom>; user?: User<Custom> };
  'member.removed': ChannelEvent & { type: 'member.removed'; member?: Member<Custom>; user?: User<Custom> };
  'member.updated': ChannelEvent & { type: 'member.updated'; member: Member<Custom>; user?: User<Custom> };
  'channel.updated': ChannelEvent & { type: 'channel.updated'; channel: ChannelData; user?: User<Custom> };
  'channel.deleted': ChannelEvent & { type: 'channel.deleted'; channel: ChannelData; user?: User<Custom> };
  'message.new': ChannelUserEvent<Custom> & { type: 'message.new'; message: Message<Custom>; watcher_count?: number };
  'message.read': ChannelUserEvent<Custom> & { type: 'message.read' };
  'notification.added_to_channel': BaseEvent & {
    type: 'notification.added_to_channel';
    channel: ChannelData;
    member?: Member<Custom>;
  };
  'notification.removed_from_channel': BaseEvent & {
    type: 'notification.removed_from_channel';
    channel: ChannelData;
    member?: Member<Custom>;
  };
  'notification.message_new': BaseEvent & { type: 'notification.message_new'; message: Message<Custom> };
  'notification.channel_deleted': BaseEvent & { type: 'notification.channel_deleted'; channel: ChannelData };
  /** The connection is alive. The first one of a connection carries you, as `me`. */
  'health.check': BaseEvent & { type: 'health.check'; connection_id: string; me?: OwnUser<Custom> };
  /** Made here: the connection came up, or has been down for five seconds. */
  'connection.changed': BaseEvent & { type: 'connection.changed'; online: boolean };
  /**
   * Made here: the connection is lost and the client no longer tries to get it back, because
   * trying cannot help. The user is disconnected; `connectUser` begins anew.
   */
  'connection.error': BaseEvent & { type: 'connection.error'; error: PresenceError };
  /** Made here: `state` or `inDoubt` of `client.connection` is another now. For showing it: nobody need poll. */
  'connection.state': BaseEvent & { type: 'connection.state'; connection: Connection };
  /** Made here: after a reconnect, everything that was watched is watched and current again. */
  'connection.recovered': BaseEvent & { type: 'connection.recovered' };
}

/** The names of all events. */
export type EventType = keyof EventMap;

/** Any event, discriminated by its `type`. */
export type PresenceEvent<Custom = CustomFields> = EventMap<Custom>[EventType];

/** What `on` returns. */
export interface Subscription {
  unsubscribe(): void;
}

// ---------------------------------------------------------------------------------------------
// Errors

/**
 * Why something failed. A number comes from the protocol (4: the request is malformed; 5 and
 * 40–43: the token; 16: not found; 17: not allowed; …); a word is the client's own:
 *
 * - `not_connected`: call `connectUser` first.
 * - `already_connected`: another user is connected; call `disconnectUser` first.
 * - `invalid_argument`: the message names the argument and what it should be.
 * - `token_mismatch`: the token is for another user.
 * - `token_provider`: your token provider failed; `cause` is what it threw.
 * - `disconnected`: `disconnectUser` was called meanwhile.
 * - `timeout`, `network`: the server did not answer, or could not be reached.
 * - `aborted`: your `AbortSignal` ended it.
 * - `not_initialized`: `rollcall/wasm` only; await its `init` first.
 */
export type PresenceErrorCode =
  | number
  | 'not_connected'
  | 'already_connected'
  | 'invalid_argument'
  | 'token_mismatch'
  | 'token_provider'
  | 'disconnected'
  | 'timeout'
  | 'network'
  | 'aborted'
  | 'not_initialized';

/** What every promise of this package rejects with, and what misuse throws. */
export interface PresenceError extends Error {
  name: 'PresenceError';
  code: PresenceErrorCode;
  /** The HTTP status, when a server answered. */
  status?: number;
  /** Whether the same call may succeed later. */
  retryable: boolean;
  /** Seconds to wait before it, when the server said so. */
  retryAfter?: number;
}

// ---------------------------------------------------------------------------------------------
// The client

/**
 * One user's connection to a presence server.
 *
 * @example
 * const client = new PresenceClient(apiKey, { baseURL: 'http://localhost:8800' });
 * await client.connectUser({ id: 'john' }, token);
 * client.on('user.presence.changed', ({ user }) => console.log(user.id, user.online));
 * await client.queryUsers({ id: { $in: ['jack', 'jill'] } }, { id: 1 }, { presence: true });
 *
 * @typeParam Custom Fields of your own that users carry.
 */
export declare class PresenceClient<Custom = CustomFields> {
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
   */
  connectUser(
    user: UserInput<Custom>,
    tokenOrProvider: TokenOrProvider,
    options?: RequestOptions,
  ): Promise<EventMap<Custom>['health.check']>;
  /** Says goodbye: the user is offline at once. Listeners stay; what was watched is forgotten. */
  disconnectUser(): Promise<void>;
  /** A token that only servers started with development tokens accept. */
  devToken(userID: string): string;

  /** Creates or updates a user. Keys that are absent keep their value. */
  upsertUser(user: UserInput<Custom>, options?: RequestOptions): Promise<{ users: Record<string, User<Custom>> }>;
  /** As {@link upsertUser}, for up to 100 users: all or none. */
  upsertUsers(users: readonly UserInput<Custom>[], options?: RequestOptions): Promise<{ users: Record<string, User<Custom>> }>;
  /** Sets and removes single fields of a user. */
  partialUpdateUser(update: PartialUserUpdate, options?: RequestOptions): Promise<{ users: Record<string, User<Custom>> }>;
  /** As {@link partialUpdateUser}, for up to 100 users: all or none. */
  partialUpdateUsers(
    updates: readonly PartialUserUpdate[],
    options?: RequestOptions,
  ): Promise<{ users: Record<string, User<Custom>> }>;
  /** Hides the connected user from everyone else, until {@link markVisible}. */
  markInvisible(options?: RequestOptions): Promise<{ users: Record<string, User<Custom>> }>;
  /** Shows the connected user again. */
  markVisible(options?: RequestOptions): Promise<{ users: Record<string, User<Custom>> }>;

  /** Finds users. With `presence: true`, keeps telling of their changes. */
  queryUsers(filter: Filter, sort?: Sort, options?: QueryUsersOptions): Promise<{ users: User<Custom>[] }>;
  /** Finds channels and watches them. With `presence: true`, keeps telling of their members' changes. */
  queryChannels(filter: Filter, sort?: Sort, options?: QueryChannelsOptions): Promise<Channel<Custom>[]>;

  /**
   * Watches any number of users: their presence is kept current, through reconnects too, until the
   * watch is stopped. Resolves when there is word of all of them; they are asked for in pages of a
   * hundred, and a page that fails for a while is asked for again. There is no deadline but that of
   * your `signal`: while the network is away, it waits.
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
   * A channel by its id, or by its members when it has none; the same object each time.
   * Nothing is sent until one of its methods is called.
   */
  channel(type: string, id?: string | null, data?: Record<string, unknown>): Channel<Custom>;
  channel(type: string, data: Record<string, unknown>): Channel<Custom>;

  /** Calls `handler` with every event of one type. */
  on<T extends EventType>(type: T, handler: (event: EventMap<Custom>[T]) => void): Subscription;
  /** Calls `handler` with every event. */
  on(handler: (event: PresenceEvent<Custom>) => void): Subscription;
  /** Removes a handler that `on` was given. */
  off<T extends EventType>(type: T, handler: (event: EventMap<Custom>[T]) => void): void;
  off(handler: (event: PresenceEvent<Custom>) => void): void;
}

/** One user's presence, from {@link PresenceClient.user}. */
export declare class UserPresence<Custom = CustomFields> {
  private constructor();

  readonly id: string;
  /** What is known now; `unknown` while nobody listens and nothing else watches them. */
  readonly presence: Presence<Custom>;
  /**
   * Calls `handler` with every change from now on, beginning with the first word when nothing is
   * known yet; what is known already is in `presence`. The user is watched as by {@link PresenceClient.watchPresence} for as long as
   * anybody listens. Throws with code `not_connected` while nobody is connected; `disconnectUser`
   * ends it.
   */
  on(type: 'presence', handler: (change: PresenceChange<Custom>) => void): Subscription;
}

/** Users whose presence is watched, from {@link PresenceClient.watchPresence}. */
export declare class PresenceWatch<Custom = CustomFields> {
  private constructor();

  /** Whom it watches, in the order in which they were added. */
  readonly ids: string[];
  /** How many they are. */
  readonly size: number;

  /** What is known of somebody now. Of whom nothing is known, and who is not watched, it is `unknown`. */
  get(id: string): Presence<Custom>;
  /**
   * Watches these as well; resolves when there is word of all of them, and rejects as
   * `watchPresence` does. Whom the server refuses is not watched; a `signal` ends the waiting only.
   */
  add(ids: readonly string[], options?: RequestOptions): Promise<void>;
  /** Watches these no longer. */
  remove(ids: readonly string[]): void;

  /** Calls `handler` with every change of somebody watched. */
  on(type: 'change', handler: (change: PresenceChange<Custom>) => void): Subscription;
  /** Removes a handler that `on` was given. */
  off(type: 'change', handler: (change: PresenceChange<Custom>) => void): void;

  /**
   * Reads the changes as they come. A reader that is slower than they are misses what was between,
   * never the newest: at most one change waits for each watched user. Ends when the watch does.
   *
   * @example
   * for await (const { id, online } of watch) await show(id, online);
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<PresenceChange<Custom>>;

  /**
   * Ends the watch and all that read from it. `disconnectUser` and `connection.error` do so too, and
   * have its handlers told that everybody is `unknown`.
   */
  stop(): void;
  /** As {@link stop}, at the end of a `using` declaration. */
  [Symbol.dispose](): void;
}

/** A channel: its members, its watchers and its messages, kept live once it is watched. */
export declare class Channel<Custom = CustomFields> {
  private constructor();

  readonly type: string;
  /** Undefined for a channel known by its members, until the server has named it. */
  readonly id: string | undefined;
  /** `type:id`. */
  readonly cid: string | undefined;
  readonly data: ChannelData | undefined;
  readonly state: ChannelState<Custom>;

  /** Creates the channel when there is none, without watching it. */
  create(options?: ChannelQueryOptions): Promise<ChannelResponse<Custom>>;
  /**
   * Watches the channel: its events arrive, and with `presence: true` its members' presence; until
   * `stopWatching()`, `channel.deleted` or `notification.removed_from_channel`. Of `watch()` and
   * `stopWatching()` the later call wins, awaited or not.
   */
  watch(options?: ChannelQueryOptions): Promise<ChannelResponse<Custom>>;
  /** Reads the channel with exactly these options. */
  query(options?: ChannelQueryOptions): Promise<ChannelResponse<Custom>>;
  /** Ends the watch, and with it the presence of its members. Who else watches is no longer known. */
  stopWatching(options?: RequestOptions): Promise<{ duration: string }>;
  /** Sends a message as the connected user. */
  sendMessage(
    message: { text: string; [field: string]: unknown },
    options?: RequestOptions,
  ): Promise<{ message: Message<Custom> }>;

  /** Calls `handler` with this channel's events of one type. */
  on<T extends EventType>(type: T, handler: (event: EventMap<Custom>[T]) => void): Subscription;
  on(handler: (event: PresenceEvent<Custom>) => void): Subscription;
  off<T extends EventType>(type: T, handler: (event: EventMap<Custom>[T]) => void): void;
  off(handler: (event: PresenceEvent<Custom>) => void): void;
}
