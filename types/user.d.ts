import type { CustomFields } from './custom.js';
import type { UserPresence } from './watch.js';

/**
 * A date and time, RFC 3339 in UTC.
 *
 * @example
 * const noon: Timestamp = '2026-01-31T12:00:00.000Z';
 */
export type Timestamp = string;

/**
 * A user as everyone may see them. An invisible user looks offline.
 *
 * @example
 * const { users } = await client.queryUsers({ id: 'jack' });
 * const jack: User | undefined = users[0];
 * console.log(jack?.online, jack?.last_active, jack?.status);
 */
export type User<Custom = CustomFields> = Custom & {
  /** 1 to 255 of `a-z A-Z 0-9 @ _ -`. */
  id: string;
  /** What others call them. */
  name?: string;
  /** The address of a picture. */
  image?: string;
  /** What they may do: `user`, `admin`, `guest`, … Set by your backend. */
  role?: string;
  /** The teams they are in. Set by your backend. */
  teams?: string[];
  /** Whether the user has a live connection and is not invisible. */
  online?: boolean;
  /** When the user was last active; absent until their first connection. */
  last_active?: Timestamp;
  /** Free text that the user shows to others. */
  status?: string;
  /** When they were created. */
  created_at?: Timestamp;
  /** When their profile was last written. */
  updated_at?: Timestamp;
  /** When they were deactivated; absent unless they are. */
  deactivated_at?: Timestamp;
  /** When they were deleted; absent unless they are. */
  deleted_at?: Timestamp;
  /** Whether they are banned from the app. */
  banned?: boolean;
  /** A code of two letters, such as `en`. */
  language?: string;
};

/**
 * The connected user as only they may see themselves.
 *
 * @example
 * const { me } = await client.connectUser({ id: 'jill' }, token);
 * console.log(me?.invisible);
 */
export type OwnUser<Custom = CustomFields> = User<Custom> & {
  /** Whether they hide from everyone else. */
  invisible?: boolean;
  /** Of push notifications; Rollcall's servers have none. */
  devices?: unknown[];
  /** Users they have muted. */
  mutes?: unknown[];
  /** Channels they have muted. */
  channel_mutes?: unknown[];
  /** Messages they have not read, in all their channels. */
  unread_count?: number;
  /** The same, by its other name. */
  total_unread_count?: number;
  /** Channels with messages they have not read. */
  unread_channels?: number;
};

/**
 * The connected user's fields, none while nobody is connected; and a function that gives anybody by their id.
 *
 * @example
 * console.log(client.user.id, client.user('jack').presence.online);
 */
export type CurrentUser<Custom = CustomFields> = Readonly<Partial<OwnUser<Custom>>> & ((id: string) => UserPresence<Custom>);

/**
 * What one may write of a user. Keys that are absent keep their value.
 *
 * @example
 * const me: UserInput = { id: 'jill', name: 'Jill', status: 'Lunch' };
 * await client.connectUser(me, token);
 */
export type UserInput<Custom = CustomFields> = Partial<Custom> & {
  /** Whom; of others a user may write nothing. */
  id: string;
  /** What others call them. */
  name?: string;
  /** The address of a picture. */
  image?: string;
  /** A code of two letters, such as `en`. */
  language?: string;
  /** Free text that they show to others. */
  status?: string;
  /** Hides the user from everyone else until it is set to false, through any number of reconnects. */
  invisible?: boolean;
  /** For backends: a user may only send back what it is. */
  role?: string;
  /** For backends: a user may only send back what they are. */
  teams?: string[];
};

/**
 * A change of some fields of a user; `set` may use dotted paths into nested fields.
 *
 * @example
 * const change: PartialUserUpdate = { id: 'jill', set: { 'pets.cat': 'Tom' }, unset: ['status'] };
 * await client.partialUpdateUser(change);
 */
export interface PartialUserUpdate {
  /** Whose fields. */
  id: string;
  /** By field, or by path into one, its value from now on. */
  set?: Record<string, unknown>;
  /** Fields, or paths, that are to be gone. */
  unset?: string[];
}

/**
 * What a write of users answers: each of them as they are now, by their id.
 *
 * @example
 * const { users }: UsersResponse = await client.upsertUser({ id: 'jill', status: 'Lunch' });
 * console.log(users['jill']?.status);
 */
export interface UsersResponse<Custom = CustomFields> {
  /** By their id. */
  users: Record<string, User<Custom>>;
}
