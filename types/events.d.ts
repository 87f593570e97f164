import type { ChannelData, Member, Message } from './channel.js';
import type { Connection } from './client.js';
import type { CustomFields } from './custom.js';
import type { PresenceError } from './error.js';
import type { OwnUser, Timestamp, User } from './user.js';

/**
 * What all events have.
 *
 * @example
 * client.on((event: BaseEvent) => console.log(event.created_at));
 */
export interface BaseEvent {
  /** When it was made. */
  created_at?: Timestamp;
  /** What else the server says. */
  [field: string]: unknown;
}

/**
 * What events about a user have.
 *
 * @example
 * const tell = ({ user }: UserEvent) => console.log(user.name ?? user.id);
 * client.on('user.updated', tell);
 * client.on('user.presence.changed', tell);
 */
export interface UserEvent<Custom = CustomFields> extends BaseEvent {
  /** The user as they are from now on. */
  user: User<Custom>;
}

/**
 * What events of a channel have.
 *
 * @example
 * const tell = ({ cid }: ChannelEvent) => console.log('something happened in', cid);
 * client.on('channel.updated', tell);
 */
export interface ChannelEvent extends BaseEvent {
  /** `type:id`. */
  cid: string;
  /** The channel's type. */
  channel_type: string;
  /** The channel's id, within its type. */
  channel_id: string;
}

/**
 * What events of a channel have that somebody caused.
 *
 * @example
 * const tell = ({ user, cid }: ChannelUserEvent) => console.log(user.id, 'in', cid);
 * client.on('typing.start', tell);
 */
export interface ChannelUserEvent<Custom = CustomFields> extends ChannelEvent {
  /** Who. */
  user: User<Custom>;
}

/**
 * Every event by its `type`. Events of your own, which a backend sends to a user or somebody to a
 * channel, are added by module augmentation.
 *
 * @example
 * declare module 'rollcall' {
 *   interface EventMap<Custom> {
 *     'hand.raised': ChannelUserEvent<Custom> & { type: 'hand.raised'; hand: 'left' | 'right' };
 *   }
 * }
 *
 * @example
 * const tell = ({ user }: EventMap['user.presence.changed']) => console.log(user.id, user.online);
 * client.on('user.presence.changed', tell);
 */
export interface EventMap<Custom = CustomFields> {
  /** A watched user came online or went offline. */
  'user.presence.changed': UserEvent<Custom> & {
    type: 'user.presence.changed';
    /** True when it was not told as it happened, but learnt from an answer: after a reconnect, or to a query of your own. */
    resync?: boolean;
  };
  /** A watched user's profile changed: their name, their status… */
  'user.updated': UserEvent<Custom> & {
    type: 'user.updated';
    /** As of `user.presence.changed`. */
    resync?: boolean;
  };
  /** A watched user was deleted. */
  'user.deleted': UserEvent<Custom> & { type: 'user.deleted'; hard_delete?: boolean };
  /** Somebody began to watch a channel that you watch. */
  'user.watching.start': ChannelUserEvent<Custom> & { type: 'user.watching.start'; watcher_count?: number };
  /** Somebody no longer watches a channel that you watch. */
  'user.watching.stop': ChannelUserEvent<Custom> & { type: 'user.watching.stop'; watcher_count?: number };
  /** Somebody began to type. */
  'typing.start': ChannelUserEvent<Custom> & { type: 'typing.start' };
  /** Somebody no longer types. */
  'typing.stop': ChannelUserEvent<Custom> & { type: 'typing.stop' };
  /** Somebody became a member. */
  'member.added': ChannelEvent & { type: 'member.added'; member: Member<Custom>; user?: User<Custom> };
  /** Somebody is no longer a member. */
  'member.removed': ChannelEvent & { type: 'member.removed'; member?: Member<Custom>; user?: User<Custom> };
  /** What is known of a member's place changed. */
  'member.updated': ChannelEvent & { type: 'member.updated'; member: Member<Custom>; user?: User<Custom> };
  /** A channel's data changed. */
  'channel.updated': ChannelEvent & { type: 'channel.updated'; channel: ChannelData; user?: User<Custom> };
  /** A channel is gone, and the watch of it with it. */
  'channel.deleted': ChannelEvent & { type: 'channel.deleted'; channel: ChannelData; user?: User<Custom> };
  /** A message was sent to a channel that you watch. */
  'message.new': ChannelUserEvent<Custom> & { type: 'message.new'; message: Message<Custom>; watcher_count?: number };
  /** Somebody has read a channel that you watch. */
  'message.read': ChannelUserEvent<Custom> & { type: 'message.read' };
  /** You became a member of a channel. */
  'notification.added_to_channel': BaseEvent & {
    type: 'notification.added_to_channel';
    channel: ChannelData;
    member?: Member<Custom>;
  };
  /** You are no longer a member of a channel, and no longer watch it. */
  'notification.removed_from_channel': BaseEvent & {
    type: 'notification.removed_from_channel';
    channel: ChannelData;
    member?: Member<Custom>;
  };
  /** A message was sent to a channel of yours that you do not watch. */
  'notification.message_new': BaseEvent & { type: 'notification.message_new'; message: Message<Custom> };
  /** A channel of yours that you do not watch is gone. */
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
  /**
   * Made here: after a reconnect, everything that was watched has been asked for and is current
   * again, but for what the server refused: that stays stale.
   */
  'connection.recovered': BaseEvent & { type: 'connection.recovered' };
}

/**
 * The names of all events.
 *
 * @example
 * const counted = new Map<EventType, number>();
 * client.on(({ type }) => counted.set(type, (counted.get(type) ?? 0) + 1));
 */
export type EventType = keyof EventMap;

/**
 * Any event, discriminated by its `type`.
 *
 * @example
 * client.on((event: PresenceEvent) => {
 *   if (event.type === 'message.new') console.log(event.message.text);
 *   if (event.type === 'connection.changed') console.log(event.online);
 * });
 */
export type PresenceEvent<Custom = CustomFields> = EventMap<Custom>[EventType];

/**
 * What `on` returns.
 *
 * @example
 * const subscription: Subscription = client.on('user.updated', ({ user }) => console.log(user.status));
 * subscription.unsubscribe();
 */
export interface Subscription {
  /**
   * Has the handler called no more. Called again, it does nothing.
   *
   * @example
   * const { unsubscribe } = client.on('user.updated', ({ user }) => console.log(user.status));
   * unsubscribe();
   */
  unsubscribe(): void;
}
