// Everybody, as the server of `rollcall/testing` has them.

import type { Clock } from './clock.ts';

export type Fields = Record<string, unknown>;
/** A user's record, or some fields of it. */
export type UserFields = { id: string } & Fields;
/** A user as everybody sees them. */
export type PublicUser = UserFields & { online: boolean };

export class Users {
  readonly #clock: Clock;
  readonly #byId = new Map<string, PublicUser>();
  readonly #invisible = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get ids(): string[] {
    return [...this.#byId.keys()];
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  /** As everybody sees them. */
  get(id: string): PublicUser | undefined {
    const user = this.#byId.get(id);
    return user && { ...user, online: user.online && !this.#invisible.has(id) };
  }

  /** As they see themselves. */
  own(id: string): UserFields {
    return { ...this.#byId.get(id), id, invisible: this.#invisible.has(id) };
  }

  /** From now on these fields are so; those that are undefined are gone. Who does not exist is created. */
  write({ invisible, ...fields }: UserFields): void {
    const { id, online } = fields;
    const { timestamp } = this.#clock;
    const before = this.#byId.get(id) ?? { id, role: 'user', teams: [], banned: false, online: false, created_at: timestamp };
    const user: PublicUser = { ...before, ...fields, online: online === undefined ? before.online : online === true, updated_at: timestamp };
    if (user.online !== before.online) user['last_active'] = timestamp;
    for (const [field, value] of Object.entries(user)) if (value === undefined) delete user[field];
    this.#byId.set(id, user);
    if (invisible === true) this.#invisible.add(id);
    if (invisible === false) this.#invisible.delete(id);
  }
}
