import type { Augmented, CustomChannelData, CustomFields } from './custom.js';
import type { Timestamp } from './user.js';

/**
 * Values that can be compared.
 *
 * @example
 * const colours: FilterValue[] = ['green', 'blue'];
 * await client.queryChannels({ color: { $in: colours } });
 */
export type FilterValue = string | number | boolean | null;

/** Of a list, what is in it; of anything else, itself. */
type Item<Value> = Value extends readonly (infer Entry)[] ? Entry : Value;

/** What each operator takes, of a field that holds `Value`. */
interface Operands<Value> {
  $eq: Value;
  $ne: Value;
  $gt: Value;
  $gte: Value;
  $lt: Value;
  $lte: Value;
  $in: readonly Item<Value>[];
  $nin: readonly Item<Value>[];
  $exists: boolean;
  $contains: Item<Value>;
  $autocomplete: string;
  $q: string;
}

/**
 * What may be asked of a field that holds `Value` and takes these operators: a bare value, which
 * means `$eq`, or an object of operators that must all hold.
 *
 * @example
 * const beginners: Condition<number, '$gte' | '$lt'> = { $gte: 1, $lt: 3 };
 * await client.queryUsers({ level: beginners });
 */
export type Condition<Value, Operator extends keyof Operands<unknown>> =
  | Value
  | ({ readonly [O in Operator]?: Operands<Value>[O] } & {
      // Otherwise the conditions on fields of one's own, of whatever name, would let them pass.
      readonly [O in Exclude<keyof Operands<unknown>, Operator>]?: never;
    });

/** The operators of everything that has an order. */
type Ordered = '$eq' | '$exists' | '$gt' | '$gte' | '$lt' | '$lte' | '$in';

type TextSet = string | readonly string[];

/** How a field of one's own is asked for; lists, by what is in them too. */
type Asked<Value> = NonNullable<Value> extends readonly (infer Entry)[] ? readonly Entry[] | Entry : NonNullable<Value>;

type AnyValue<Operator extends keyof Operands<unknown>> = Condition<FilterValue | readonly unknown[], Operator>;

/**
 * Conditions on fields of one's own, and by dotted paths on what is in them. Where any field may be,
 * a condition on one of the protocol's must fit here too.
 */
type CustomConditions<Custom, Operator extends keyof Operands<unknown>> = string extends keyof Custom
  ? { readonly [field: string]: AnyValue<keyof Operands<unknown>> | undefined }
  : { readonly [Field in keyof Custom]?: Condition<Asked<Custom[Field]>, Operator> } & {
      readonly [Path in `${keyof Custom & string}.${string}`]?: AnyValue<Operator>;
    };

/** Lists of filters: all of which hold, one of which does, none of which does. */
interface Groups<Filter> {
  readonly $and?: readonly Filter[];
  readonly $or?: readonly Filter[];
  readonly $nor?: readonly Filter[];
}

interface UserConditions {
  readonly id?: Condition<string, Ordered | '$ne' | '$nin' | '$autocomplete'>;
  readonly name?: Condition<string, Ordered | '$autocomplete'>;
  readonly username?: Condition<string, '$eq' | '$autocomplete'>;
  readonly email?: Condition<string, '$eq' | '$in'>;
  readonly role?: Condition<string, Ordered>;
  readonly language?: Condition<string, '$eq'>;
  readonly teams?: Condition<TextSet, '$eq' | '$in' | '$contains'>;
  readonly banned?: Condition<boolean, '$eq' | '$ne'>;
  readonly shadow_banned?: Condition<boolean, '$eq' | '$ne'>;
  readonly bypass_moderation?: Condition<boolean, '$eq' | '$ne'>;
  readonly created_at?: Condition<Timestamp, Ordered>;
  readonly updated_at?: Condition<Timestamp, Ordered>;
  readonly last_active?: Condition<Timestamp, Ordered>;
  // The first thing one would try, and among fields of one's own it would compile.
  readonly online?: never;
}

/**
 * Which users: conditions by field, all of which must hold; `$and`, `$or` and `$nor` take lists of
 * filters. Each field takes the operators that mean something for what it holds, fields of your own
 * `$eq $exists $gt $gte $lt $lte $in $contains`; dotted paths reach into nested ones. `online`
 * cannot be asked for: ask with `presence: true`, and see.
 *
 * @example
 * const team: UserFilter = { teams: { $contains: 'red' }, last_active: { $gte: '2026-01-01T00:00:00Z' } };
 * await client.queryUsers({ $or: [team, { id: { $in: ['jack', 'jill'] } }] });
 */
export type UserFilter<Custom = CustomFields> = Groups<UserFilter<Custom>> & UserConditions & CustomConditions<Custom, Ordered | '$contains'>;

interface ChannelConditions {
  readonly cid?: Condition<string, Ordered>;
  readonly id?: Condition<string, Ordered>;
  readonly type?: Condition<string, Ordered>;
  readonly team?: Condition<string, Ordered>;
  readonly created_by_id?: Condition<string, Ordered>;
  readonly created_at?: Condition<Timestamp, Ordered>;
  readonly updated_at?: Condition<Timestamp, Ordered>;
  readonly last_message_at?: Condition<Timestamp, Ordered>;
  readonly last_updated?: Condition<Timestamp, Ordered>;
  readonly member_count?: Condition<number, Ordered>;
  readonly message_count?: Condition<number, Ordered>;
  readonly frozen?: Condition<boolean, Ordered>;
  readonly disabled?: Condition<boolean, '$eq'>;
  readonly distinct?: Condition<boolean, '$eq'>;
  readonly members?: Condition<TextSet, '$eq' | '$in'>;
  readonly filter_tags?: Condition<TextSet, '$eq' | '$in'>;
  readonly name?: Condition<string, Ordered | '$autocomplete' | '$q'>;
  readonly 'member.user.name'?: Condition<string, '$eq' | '$autocomplete'>;
  readonly hidden?: Condition<boolean, '$eq'>;
  readonly joined?: Condition<boolean, '$eq'>;
  readonly invite?: Condition<string, '$eq'>;
  readonly channel_role?: Condition<string, '$eq' | '$in'>;
  readonly archived?: Condition<boolean, '$eq'>;
  readonly pinned?: Condition<boolean, '$eq'>;
  readonly has_unread?: Condition<boolean, '$eq'>;
  readonly muted?: Condition<boolean, '$eq'>;
  readonly blocked?: Condition<boolean, '$eq'>;
  readonly app_banned?: Condition<string, '$eq'>;
}

/**
 * Which channels, as {@link UserFilter} says which users; fields of your own take `$autocomplete`
 * and `$q` as well.
 *
 * @example
 * const mine: ChannelFilter = { type: 'messaging', members: { $in: ['jill'] }, color: 'green' };
 * await client.queryChannels(mine, { last_message_at: -1 }, { presence: true });
 */
export type ChannelFilter = Groups<ChannelFilter> &
  ChannelConditions &
  CustomConditions<Augmented<CustomChannelData>, Ordered | '$contains' | '$autocomplete' | '$q'>;

type Directions<Field extends PropertyKey> = { readonly [F in Field]?: 1 | -1 };

/** By fields: 1 ascending, -1 descending. A list keeps its order; at most 5 fields. */
type SortBy<Field extends PropertyKey> = Directions<Field> | readonly Directions<Field>[];

/** Fields of one's own, and dotted paths into them. */
type CustomPaths<Custom> = (keyof Custom & string) | `${keyof Custom & string}.${string}`;

/**
 * In which order users come: fields by direction, 1 ascending and -1 descending. A list keeps its
 * order; at most 5 fields. Who has no such field comes last.
 *
 * @example
 * const lately: UserSort = [{ last_active: -1 }, { id: 1 }];
 * await client.queryUsers({ role: 'user' }, lately);
 */
export type UserSort<Custom = CustomFields> = SortBy<
  Exclude<keyof UserConditions, 'teams' | 'shadow_banned' | 'bypass_moderation'> | CustomPaths<Custom>
>;

/**
 * In which order channels come, as {@link UserSort}.
 *
 * @example
 * const newest: ChannelSort = { last_message_at: -1 };
 * await client.queryChannels({ members: { $in: ['jill'] } }, newest);
 */
export type ChannelSort = SortBy<
  | 'cid' | 'id' | 'type' | 'team' | 'created_by_id' | 'created_at' | 'updated_at' | 'last_message_at' | 'last_updated'
  | 'member_count' | 'message_count' | 'frozen' | 'name' | 'pinned_at' | 'has_unread' | 'unread_count'
  | CustomPaths<Augmented<CustomChannelData>>
>;

/**
 * Options that every request takes.
 *
 * @example
 * const options: RequestOptions = { signal: AbortSignal.timeout(1000) };
 * await client.watchPresence(['jack'], options);
 */
export interface RequestOptions {
  /** Ends the request early; its promise rejects with code `aborted`. */
  signal?: AbortSignal;
}

/**
 * What `client.queryUsers` takes besides a filter and a sort.
 *
 * @example
 * const options: QueryUsersOptions = { presence: true, limit: 100 };
 * await client.queryUsers({ role: 'user' }, { id: 1 }, options);
 */
export interface QueryUsersOptions extends RequestOptions {
  /** Be told of these users' changes, through reconnects too. Default false. */
  presence?: boolean;
  /** At most 100; default 30. */
  limit?: number;
  /** How many to pass over; at most 1000. */
  offset?: number;
  /** Only whose id comes after this one. */
  id_gt?: string;
  /** Only whose id is this one or comes after it. */
  id_gte?: string;
  /** Only whose id comes before this one. */
  id_lt?: string;
  /** Only whose id is this one or comes before it. */
  id_lte?: string;
  /** Find those who were deactivated as well. Default false. */
  include_deactivated_users?: boolean;
}

/**
 * What a channel's `watch`, `query` and `create` take.
 *
 * @example
 * const options: ChannelQueryOptions = { presence: true, messages: { limit: 10 } };
 * await channel.watch(options);
 */
export interface ChannelQueryOptions extends RequestOptions {
  /** Return members, messages and watchers. Default true in `watch` and `queryChannels`. */
  state?: boolean;
  /** Be told of the channel's events. Default true in `watch` and `queryChannels`. */
  watch?: boolean;
  /** Be told of the members' presence. Default false. */
  presence?: boolean;
  /** Which messages. */
  messages?: { limit?: number; id_lt?: string; id_lte?: string; id_gt?: string; id_gte?: string };
  /** Which members. */
  members?: { limit?: number; offset?: number };
  /** Which watchers. */
  watchers?: { limit?: number; offset?: number };
}

/**
 * What `client.queryChannels` takes besides a filter and a sort.
 *
 * @example
 * const options: QueryChannelsOptions = { presence: true, limit: 10, message_limit: 1 };
 * await client.queryChannels({ members: { $in: ['jill'] } }, {}, options);
 */
export interface QueryChannelsOptions extends RequestOptions {
  /** Return members, messages and watchers. Default true. */
  state?: boolean;
  /** Be told of the channels' events. Default true. */
  watch?: boolean;
  /** Be told of the members' presence, through reconnects too. Default false. */
  presence?: boolean;
  /** At most 30; default 10. */
  limit?: number;
  /** How many to pass over; at most 1000. */
  offset?: number;
  /** How many messages of each. */
  message_limit?: number;
  /** How many members of each. */
  member_limit?: number;
}

// Without this, a file of declarations exports all of them.
export {};
