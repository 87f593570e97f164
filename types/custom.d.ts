// Fields of an app's own: empty here, for apps to add to.

/**
 * Fields of your own on users. Whoever adds some by module augmentation has them in every type, and
 * a field that is neither of the protocol nor among them does not compile; until then any may be
 * written, and reads as `unknown`. For one client alone, {@link PresenceClient} takes them as its
 * type parameter.
 *
 * @example
 * declare module 'rollcall' {
 *   interface CustomUserData {
 *     level: number;
 *     team?: 'red' | 'blue';
 *   }
 * }
 */
export interface CustomUserData {}

/**
 * Fields of your own on channels, as {@link CustomUserData}.
 *
 * @example
 * declare module 'rollcall' {
 *   interface CustomChannelData {
 *     color?: string;
 *   }
 * }
 */
export interface CustomChannelData {}

/**
 * Fields of your own on members of channels, as {@link CustomUserData}.
 *
 * @example
 * declare module 'rollcall' {
 *   interface CustomMemberData {
 *     seat?: number;
 *   }
 * }
 */
export interface CustomMemberData {}

/**
 * Fields of your own on messages, as {@link CustomUserData}.
 *
 * @example
 * declare module 'rollcall' {
 *   interface CustomMessageData {
 *     mood?: 'good' | 'bad';
 *   }
 * }
 */
export interface CustomMessageData {}

/**
 * The fields that an app has added to one of the interfaces above; any at all when it has added none.
 *
 * @example
 * const fields: Augmented<CustomChannelData> = { color: 'green' };
 */
export type Augmented<Data> = keyof Data extends never ? Record<string, unknown> : Data;

/**
 * Fields of your own on users: those of {@link CustomUserData}, or any.
 *
 * @example
 * function describe(user: User<CustomFields>): string {
 *   return user.name ?? user.id;
 * }
 */
export type CustomFields = Augmented<CustomUserData>;
