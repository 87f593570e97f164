import type { Augmented, CustomChannelData, CustomFields, CustomMemberData, CustomMessageData } from './custom.js';
import type { EventMap, EventType, PresenceEvent, Subscription } from './events.js';
import type { ChannelQueryOptions, RequestOptions } from './query.js';
import type { Timestamp, User } from './user.js';

/**
 * A user's place in a channel.
 *
 * @example
 * const member: Member | undefined = channel.state.members['jack'];
 * console.log(member?.user.online, member?.channel_role);
 */
export type Member<Custom = CustomFields> = Augmented<CustomMemberData> & {
  /** Who. */
  user_id: string;
  /** Who, with their presence, which is kept current. */
  user: User<Custom>;
  /** What they may do in this channel: `channel_member`, `channel_moderator`. */
  channel_role?: string;
  /** The same, by its older name. */
  role?: string;
  /** When they became a member. */
  created_at?: Timestamp;
  /** When that last changed. */
  updated_at?: Timestamp;
};

/**
 * A message; its `user` carries the author's presence and is kept current.
 *
 * @example
 * channel.on('message.new', ({ message }: { message: Message }) => {
 *   console.log(message.user?.name, message.user?.online, message.text);
 * });
 */
export type Message<Custom = CustomFields> = Augmented<CustomMessageData> & {
  /** Given by the server. */
  id: string;
  /** At most 5000 characters. */
  text?: string;
  /** Who wrote it; null when they were deleted with all that was theirs. */
  user: User<Custom> | null;
  /** Of which channel, `type:id`. */
  cid?: string;
  /** When it was sent. */
  created_at: Timestamp;
  /** When it was last changed. */
  updated_at?: Timestamp;
};

/**
 * What one sends: a text, and fields of one's own.
 *
 * @example
 * const message: MessageInput = { text: 'Lunch?' };
 * await channel.sendMessage(message);
 */
export type MessageInput = Partial<Augmented<CustomMessageData>> & {
  /** At most 5000 characters. */
  text: string;
};

/**
 * What is known of a channel itself.
 *
 * @example
 * const data: ChannelData | undefined = channel.data;
 * console.log(data?.name, data?.member_count);
 */
export type ChannelData = Augmented<CustomChannelData> & {
  /** Within its type. */
  id: string;
  /** `messaging`, `team`, `commerce`, `livestream` or `gaming`. */
  type: string;
  /** `type:id`. */
  cid: string;
  /** What people call it. */
  name?: string;
  /** When it was created. */
  created_at?: Timestamp;
  /** When its data was last written. */
  updated_at?: Timestamp;
  /** When the newest message was sent; absent while there is none. */
  last_message_at?: Timestamp;
  /** How many members it has. */
  member_count?: number;
};

/**
 * What a channel is created with; it is ignored when there is one already.
 *
 * @example
 * const data: ChannelInput = { name: 'Lunch', members: ['jack', 'jill'] };
 * await client.channel('messaging', 'lunch', data).watch({ presence: true });
 */
export type ChannelInput = Partial<Augmented<CustomChannelData>> & {
  /** What people call it. */
  name?: string;
  /** Its members' ids. A channel without an id of its own is the one of its type with exactly these. */
  members?: readonly string[];
  /** The team it belongs to. */
  team?: string;
};

/**
 * A channel as the server returns it.
 *
 * @example
 * const response: ChannelResponse = await channel.watch({ presence: true });
 * console.log(response.members.length, response.watcher_count);
 */
export interface ChannelResponse<Custom = CustomFields> {
  /** The channel itself. */
  channel: ChannelData;
  /** A page of its members: up to 100, and as many as `members.limit` asks for. */
  members: Member<Custom>[];
  /** The newest messages, oldest first. */
  messages: Message<Custom>[];
  /** Who watches it now. */
  watchers?: User<Custom>[];
  /** How many do. */
  watcher_count?: number;
  /** Your own place in it; null when you are no member. */
  membership?: Member<Custom> | null;
  /** By member, up to where they have read. */
  read?: unknown[];
  /** Rollcall's servers: members left out of the presence subscription because its limit was reached. */
  presence_omitted?: number;
  /** Rollcall's servers: the channel is not watched, because this connection watches as many as it may. */
  watch_omitted?: boolean;
  /** How long the server took. */
  duration?: string;
  /** What else the server says. */
  [field: string]: unknown;
}

/**
 * A channel kept live: every `user` in it is replaced as their presence changes. Servers tell of a
 * limited number of members (the hosted service of ten); `client.user(id).presence.freshness` says
 * of each whether it is `live`, and {@link PresenceClient.watchPresence} makes it so.
 *
 * @example
 * const state: ChannelState = channel.state;
 * console.log(state.members['jack']?.user.online, state.watcher_count);
 */
export interface ChannelState<Custom = CustomFields> {
  /** By their user's id. */
  readonly members: Readonly<Record<string, Member<Custom>>>;
  /** Who watches it now, by their id. */
  readonly watchers: Readonly<Record<string, User<Custom>>>;
  /** How many do, also where the server does not name them. */
  readonly watcher_count: number;
  /** Those that are loaded, oldest first. */
  readonly messages: readonly Message<Custom>[];
  /** Your own place in it; null when you are no member. */
  readonly membership: Member<Custom> | null;
}

/**
 * A channel: its members, its watchers and its messages, kept live once it is watched.
 *
 * @example
 * const channel: Channel = client.channel('messaging', 'lunch');
 * await channel.watch({ presence: true });
 * channel.on('user.presence.changed', () => console.log(channel.state.members['jack']?.user.online));
 */
export declare class Channel<Custom = CustomFields> {
  private constructor();

  /** `messaging`, `team`, `commerce`, `livestream` or `gaming`. */
  readonly type: string;
  /** Undefined for a channel known by its members, until the server has named it. */
  readonly id: string | undefined;
  /** `type:id`. */
  readonly cid: string | undefined;
  /** What is known of the channel itself; undefined until the server was asked. */
  readonly data: ChannelData | undefined;
  /** Its members, watchers and messages, kept current once it is watched. */
  readonly state: ChannelState<Custom>;

  /**
   * Creates the channel when there is none, without watching it.
   *
   * @example
   * await client.channel('messaging', 'lunch', { members: ['jack', 'jill'] }).create();
   */
  create(options?: ChannelQueryOptions): Promise<ChannelResponse<Custom>>;
  /**
   * Watches the channel: its events arrive, and with `presence: true` its members' presence; until
   * `stopWatching()`, `channel.deleted` or `notification.removed_from_channel`. Of `watch()` and
   * `stopWatching()` the later call wins, awaited or not.
   *
   * @example
   * const { members, presence_omitted } = await channel.watch({ presence: true });
   */
  watch(options?: ChannelQueryOptions): Promise<ChannelResponse<Custom>>;
  /**
   * Reads the channel with exactly these options.
   *
   * @example
   * const { messages } = await channel.query({ state: true, messages: { limit: 30 } });
   */
  query(options?: ChannelQueryOptions): Promise<ChannelResponse<Custom>>;
  /**
   * Ends the watch, and with it the presence of its members. Who else watches is no longer known.
   *
   * @example
   * await channel.stopWatching();
   */
  stopWatching(options?: RequestOptions): Promise<{ duration: string }>;
  /**
   * Sends a message as the connected user.
   *
   * @example
   * const { message } = await channel.sendMessage({ text: 'Lunch?' });
   */
  sendMessage(message: MessageInput, options?: RequestOptions): Promise<{ message: Message<Custom> }>;

  /**
   * Calls `handler` with this channel's events of one type.
   *
   * @example
   * channel.on('typing.start', ({ user }) => console.log(user.id, 'is typing'));
   */
  on<T extends EventType>(type: T, handler: (event: EventMap<Custom>[T]) => void): Subscription;
  /**
   * Calls `handler` with all of this channel's events.
   *
   * @example
   * channel.on((event) => console.log(event.type));
   */
  on(handler: (event: PresenceEvent<Custom>) => void): Subscription;
  /**
   * Removes a handler that `on` was given.
   *
   * @example
   * const tell = ({ message }: EventMap['message.new']) => console.log(message.text);
   * channel.on('message.new', tell);
   * channel.off('message.new', tell);
   */
  off<T extends EventType>(type: T, handler: (event: EventMap<Custom>[T]) => void): void;
  /**
   * Removes a handler of all events.
   *
   * @example
   * const log = (event: PresenceEvent) => console.log(event.type);
   * channel.on(log);
   * channel.off(log);
   */
  off(handler: (event: PresenceEvent<Custom>) => void): void;
}
