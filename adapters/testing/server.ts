// The server of `rollcall/testing`: the world as it is, and what of it the one client is told.

import { Channels } from './channels.ts';
import type { Clock } from './clock.ts';
import { HIDDEN_OF_USERS, matching, sorted, type Sort } from './filter.ts';
import { input, notAllowed } from './refusal.ts';
import { Users, type Fields, type PublicUser, type UserFields } from './users.ts';

/** As real servers have it: unless a query says otherwise, and at most. */
const USERS = { default: 30, most: 100 };

/** What the client's connection is told of. */
export class Subscriptions {
  /** Users it asked for one by one. */
  readonly users = new Set<string>();
  /** By channel, those of its members whose presence it is told of. */
  readonly members = new Map<string, ReadonlySet<string>>();
  /** Channels whose events it gets. */
  readonly channels = new Set<string>();

  hasUser(id: string): boolean {
    return this.users.has(id) || [...this.members.values()].some((ids) => ids.has(id));
  }
}

export class Server {
  readonly clock: Clock;
  readonly users: Users;
  readonly channels: Channels;
  /** Where the client listens; it does not while it is disconnected. */
  #socket: ((event: Fields) => void) | undefined;
  /** Who is connected. */
  userID: string | undefined;
  subscriptions = new Subscriptions();

  constructor(clock: Clock) {
    this.clock = clock;
    this.users = new Users(clock);
    this.channels = new Channels(this);
  }

  // --- The client's connection ------------------------------------------------------------------

  /** The client is connected from now on; returns its first event. */
  connect(user: UserFields, socket: (event: Fields) => void): Fields {
    this.userID = user.id;
    this.subscriptions = new Subscriptions();
    this.#socket = socket;
    this.write({ ...user, online: true });
    return this.#dated({ type: 'health.check', connection_id: 'fake', me: this.users.own(user.id), rollcall: [] });
  }

  /** The client's connection is gone; nothing comes through any more. */
  cut(): void {
    this.#socket = undefined;
  }

  /** The client has said goodbye. */
  disconnect(): void {
    const { userID } = this;
    this.cut();
    this.userID = undefined;
    this.subscriptions = new Subscriptions();
    if (userID !== undefined) this.write({ id: userID, online: false });
  }

  tell(event: Fields): void {
    this.#socket?.(copy(this.#dated(event)));
  }

  #dated(event: Fields): Fields {
    return { ...event, created_at: this.clock.timestamp };
  }

  // --- What happens -----------------------------------------------------------------------------

  /** Somebody is as these fields say from now on, and whoever watches them hears of it. */
  write(fields: UserFields): void {
    const { id } = fields;
    const before = this.users.get(id);
    this.users.write(fields);
    const user = this.users.get(id) as PublicUser;
    const flipped = (before?.online ?? false) !== user.online;
    if (this.subscriptions.hasUser(id)) this.tell({ type: flipped ? 'user.presence.changed' : 'user.updated', user });
    if (flipped) this.channels.flipped(id, user.online);
  }

  // --- Requests ---------------------------------------------------------------------------------

  /** The reply to a request, as JSON would bring it. */
  reply(method: string, path: string, payload: any): Fields {
    const [, resource, type, id, call] = path.split('/').map(decodeURIComponent);
    if (resource === 'users') {
      if (method === 'GET') return copy(this.#queryUsers(payload));
      return copy(this.#writeUsers(method === 'POST' ? Object.values(payload.users) : payload.users.map(merged)));
    }
    return copy(this.channels.reply(type, call ? id : undefined, call ?? id, payload));
  }

  #queryUsers({ filter_conditions, sort, presence, limit = USERS.default, offset = 0, ...range }: any): Fields {
    const ids: [string, (a: string, b: string) => boolean][] = [
      ['id_gt', (a, b) => a > b], ['id_gte', (a, b) => a >= b], ['id_lt', (a, b) => a < b], ['id_lte', (a, b) => a <= b],
    ];
    if (limit > USERS.most) throw input(`limit must be at most ${USERS.most}`);
    const order: Sort = [...(sort.length ? sort : [{ field: 'created_at', direction: -1 }]), { field: 'id', direction: 1 }];
    const users = this.users.ids
      .filter((id) => ids.every(([name, holds]) => range[name] === undefined || holds(id, range[name])))
      .map((id) => this.users.get(id) as PublicUser)
      .filter(matching(filter_conditions, HIDDEN_OF_USERS))
      .sort(sorted(order))
      .slice(offset, offset + limit);
    if (presence) for (const { id } of users) this.subscriptions.users.add(id);
    return { users };
  }

  #writeUsers(users: UserFields[]): Fields {
    const { userID } = this;
    if (users.some(({ id }) => id !== userID)) throw notAllowed(`User '${userID}' with role 'user' is not allowed to perform action UpdateUser`);
    for (const user of users) this.write(user);
    return { users: Object.fromEntries(users.map(({ id }) => [id, this.users.own(id)])) };
  }
}

/** A partial update as the fields it writes. */
function merged({ id, set, unset = [] }: { id: string; set?: Fields; unset?: string[] }): UserFields {
  return { ...set, ...Object.fromEntries(unset.map((field) => [field, field === 'invisible' ? false : undefined])), id };
}

/** As it comes out at the other end of a network. */
function copy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
