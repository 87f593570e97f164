// The client of `rollcall/testing`: what a real one would say, without a server.

import type {
  Channel,
  Connection,
  CurrentUser,
  EventMap,
  OwnUser,
  PartialUserUpdate,
  Presence,
  PresenceChange,
  PresenceClient,
  PresenceError,
  PresenceErrorCode,
  PresenceEvent,
  Subscription,
  User,
  UserFilter,
  UserInput,
  UserPresence,
  UserSort,
} from 'rollcall';
import { matching, sorted } from './fake-filter.ts';
import { FakeWatch } from './fake-watch.ts';
import { unknown } from './roster.ts';

/** As the real client: `connection.changed` says so of a connection that has been gone so long, in milliseconds. */
const GONE = 5_000;
/** Milliseconds between attempts to reconnect; the real client's pauses are random. */
const PAUSE = 1_000;

type Handler = (event: any) => void;

/** Some fields of a user, those of the app's own among them. */
type Fields = { id: string } & Record<string, unknown>;

/** An error as the real client makes it. */
export function problem(code: PresenceErrorCode, message: string): PresenceError {
  return Object.assign(new Error(message), { name: 'PresenceError' as const, code, retryable: false });
}

const withoutChannels = (call: string) => problem('invalid_argument', `${call}: the client of rollcall/testing has no channels`);

/** Calls each with `value`; one that throws does not keep it from the others. */
export function tell<T>(handlers: Iterable<(value: T) => void>, value: T): void {
  for (const handler of [...handlers]) {
    try {
      handler(value);
    } catch (error) {
      reportError(error);
    }
  }
}

export class FakeClient<Custom> implements PresenceClient<Custom> {
  readonly baseURL = 'https://rollcall.invalid';
  /** Everybody as the server would know them. */
  readonly #users = new Map<string, User<Custom>>();
  /** What the client was told of whom it watches. */
  readonly #known = new Map<string, Presence<Custom>>();
  /** By what they were asked for, whom the client watches. */
  readonly #watches = new Map<object, Set<string>>();
  readonly #listening = new Map<object, (change: PresenceChange<Custom>) => void>();
  readonly #handlers = new Map<Handler, string | null>();
  #queried: object = {};
  #userID: string | undefined;
  #invisible = false;
  #now: number;
  #state: Connection['state'] = 'disconnected';
  #since: number;
  #lastHeard: number | null = null;
  /** When the network went; null while it is there. */
  #lostAt: number | null = null;
  #nextTry: number | null = null;

  constructor(now: Date) {
    this.#now = this.#since = now.getTime();
  }

  get userID(): string | undefined {
    return this.#userID;
  }

  get user(): CurrentUser<Custom> {
    const of = (id: string) => this.#handle(id);
    const own = this.#userID === undefined ? {} : this.#own(this.#userID);
    // A function's own `name` cannot be assigned.
    for (const [field, value] of Object.entries(own)) Object.defineProperty(of, field, { value, enumerable: true });
    return of as CurrentUser<Custom>;
  }

  get connection(): Connection {
    return {
      state: this.#state,
      since: new Date(this.#since),
      inDoubt: false,
      lastHeard: this.#lastHeard === null ? null : new Date(this.#lastHeard),
      nextTryIn: this.#nextTry === null ? null : this.#nextTry - this.#now,
    };
  }

  // The app's calls.

  async connectUser(user: UserInput<Custom>): Promise<EventMap<Custom>['health.check']> {
    if (this.#userID !== undefined && this.#userID !== user.id) {
      throw problem('already_connected', `client.connectUser: ${this.#userID} is connected; call client.disconnectUser() first`);
    }
    if (this.#userID === undefined) this.enter(user);
    return this.#hello();
  }

  async disconnectUser(): Promise<void> {
    const { userID } = this;
    if (userID === undefined) return;
    this.#userID = undefined;
    this.#nextTry = this.#lostAt = null;
    this.#store({ id: userID, online: false });
    for (const id of [...this.#known.keys()]) this.#learn(id, unknown(id), false);
    for (const watch of [...this.#watches.keys()]) if (watch instanceof FakeWatch) watch.end();
    this.#watches.clear();
    this.#listening.clear();
    this.#known.clear();
    this.#become('disconnected');
  }

  devToken(userID: string): string {
    return `development.${userID}`;
  }

  async upsertUser(user: UserInput<Custom>): Promise<{ users: Record<string, User<Custom>> }> {
    return this.upsertUsers([user]);
  }

  async upsertUsers(users: readonly UserInput<Custom>[]): Promise<{ users: Record<string, User<Custom>> }> {
    this.#reach('client.upsertUsers');
    for (const { invisible, ...fields } of users) {
      if (fields.id === this.#userID && invisible !== undefined) this.#invisible = invisible;
      this.write(fields as Fields);
    }
    return { users: Object.fromEntries(users.map(({ id }) => [id, this.#see(id) as User<Custom>])) };
  }

  async partialUpdateUser(update: PartialUserUpdate): Promise<{ users: Record<string, User<Custom>> }> {
    return this.partialUpdateUsers([update]);
  }

  async partialUpdateUsers(updates: readonly PartialUserUpdate[]): Promise<{ users: Record<string, User<Custom>> }> {
    return this.upsertUsers(
      updates.map(({ id, set, unset }) => {
        const removed = Object.fromEntries((unset ?? []).map((field) => [field, undefined]));
        return { ...set, ...removed, id } as UserInput<Custom>;
      }),
    );
  }

  markInvisible(): Promise<{ users: Record<string, User<Custom>> }> {
    return this.upsertUser({ id: this.#mustBe('client.markInvisible'), invisible: true } as UserInput<Custom>);
  }

  markVisible(): Promise<{ users: Record<string, User<Custom>> }> {
    return this.upsertUser({ id: this.#mustBe('client.markVisible'), invisible: false } as UserInput<Custom>);
  }

  async queryUsers(
    filter: UserFilter<Custom>,
    sort?: UserSort<Custom>,
    options: { presence?: boolean; limit?: number; offset?: number } = {},
  ): Promise<{ users: User<Custom>[] }> {
    this.#reach('client.queryUsers');
    const { limit = 30, offset = 0 } = options;
    const found = [...this.#users.keys()]
      .map((id) => this.#see(id) as User<Custom>)
      .filter(matching(filter as Record<string, unknown>))
      .sort(sorted(sort))
      .slice(offset, offset + limit);
    if (options.presence) {
      const ids = this.#watches.get(this.#queried) ?? new Set();
      this.#watches.set(this.#queried, ids);
      for (const { id } of found) this.watch(this.#queried, id);
    }
    return { users: found };
  }

  async queryChannels(): Promise<Channel<Custom>[]> {
    throw withoutChannels('client.queryChannels');
  }

  channel(): Channel<Custom> {
    throw withoutChannels('client.channel');
  }

  async watchPresence(ids: readonly string[]): Promise<FakeWatch<Custom>> {
    this.#mustBe('client.watchPresence');
    const watch = new FakeWatch<Custom>(this);
    await watch.add(ids);
    return watch;
  }

  on(...args: [string, Handler] | [Handler]): Subscription {
    const [type, handler] = args.length === 1 ? [null, args[0]] : args;
    this.#handlers.set(handler, type);
    return { unsubscribe: () => void this.#handlers.delete(handler) };
  }

  off(...args: [string, Handler] | [Handler]): void {
    this.#handlers.delete(args.length === 1 ? args[0] : args[1]);
  }

  // What watches and handles need.

  /** Throws unless somebody is connected; returns who. */
  #mustBe(call: string): string {
    if (this.#userID === undefined) throw problem('not_connected', `${call}: call client.connectUser(user, token) first`);
    return this.#userID;
  }

  #reach(call: string): void {
    this.#mustBe(call);
    if (this.#lostAt !== null) throw Object.assign(problem('network', `${call}: the server cannot be reached`), { retryable: true });
  }

  /** Watches `id` for `watch`, until `unwatch`. */
  watch(watch: object, id: string): void {
    const ids = this.#watches.get(watch) ?? new Set();
    this.#watches.set(watch, ids.add(id));
    if (this.#lostAt === null) this.#learn(id, this.#word(id), false);
  }

  unwatch(watch: object, id: string): void {
    this.#watches.get(watch)?.delete(id);
    if (!this.#isWatched(id)) this.#known.delete(id);
  }

  /** Calls `hear` with the changes of whom `watch` watches, until it is `null`. */
  listen(watch: object, hear: ((change: PresenceChange<Custom>) => void) | null): void {
    if (hear) this.#listening.set(watch, hear);
    else this.#listening.delete(watch);
  }

  known(id: string): Presence<Custom> {
    return this.#known.get(id) ?? unknown(id);
  }

  #isWatched(id: string): boolean {
    for (const ids of this.#watches.values()) if (ids.has(id)) return true;
    return false;
  }

  #handle(id: string): UserPresence<Custom> {
    const known = () => this.known(id);
    const on = (_type: 'presence', handler: (change: PresenceChange<Custom>) => void): Subscription => {
      this.#mustBe('client.user(id).on');
      const watch = {};
      this.listen(watch, (change) => tell([handler], change));
      this.watch(watch, id);
      return {
        unsubscribe: () => {
          this.listen(watch, null);
          this.unwatch(watch, id);
        },
      };
    };
    return {
      id,
      get presence() {
        return known();
      },
      on,
    };
  }

  // The world, as the test moves it.

  /** Somebody is as this says from now on. Fields that are undefined are removed. */
  write(fields: Fields): void {
    const { id } = fields;
    const before = this.#see(id);
    this.#store(fields);
    const after = this.#see(id) as User<Custom>;
    if (this.#lostAt !== null || this.#userID === undefined || !this.#isWatched(id)) return;
    this.#lastHeard = this.#now;
    const flipped = (before?.online ?? false) !== after.online;
    this.#learn(id, this.#word(id), false, { type: flipped ? 'user.presence.changed' : 'user.updated', user: after });
  }

  /** The app's own user connects. */
  enter(user: { id: string; invisible?: boolean }): void {
    const { invisible, ...fields } = user;
    this.#userID = user.id;
    this.#invisible = invisible ?? this.#invisible;
    this.#become('connecting');
    this.#lastHeard = this.#now;
    this.#store({ ...fields, online: true });
    this.#become('connected');
    this.#emit(this.#hello());
    this.#emit({ type: 'connection.changed', online: true });
  }

  lose(): void {
    if (this.#userID === undefined || this.#lostAt !== null) return;
    this.#lostAt = this.#now;
    this.#nextTry = this.#now + PAUSE;
    this.#become('waiting');
    for (const presence of [...this.#known.values()]) {
      if (presence.freshness === 'live') this.#learn(presence.id, { ...presence, freshness: 'stale', asOf: new Date(this.#now) }, false);
    }
  }

  regain(): void {
    if (this.#lostAt === null) return;
    const wasGone = this.#now - this.#lostAt >= GONE;
    this.#lostAt = this.#nextTry = null;
    this.#become('connecting');
    this.#lastHeard = this.#now;
    this.#become('connected');
    this.#emit(this.#hello());
    if (wasGone) this.#emit({ type: 'connection.changed', online: true });
    for (const id of new Set([...this.#watches.values()].flatMap((ids) => [...ids]))) {
      const { user, online } = this.#word(id);
      const flipped = user !== undefined && this.known(id).online !== online;
      this.#learn(id, this.#word(id), true, flipped ? { type: 'user.presence.changed', user, resync: true } : undefined);
    }
    this.#emit({ type: 'connection.recovered' });
  }

  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const gone = this.#lostAt === null ? Infinity : this.#lostAt + GONE;
      const next = Math.min(this.#nextTry ?? Infinity, gone > this.#now ? gone : Infinity);
      if (next > end) break;
      this.#now = next;
      if (next === gone) this.#emit({ type: 'connection.changed', online: false });
      if (next !== this.#nextTry) continue;
      this.#nextTry = null;
      this.#become('connecting');
      this.#nextTry = this.#now + PAUSE;
      this.#become('waiting');
    }
    this.#now = end;
  }

  // Bookkeeping.

  #store(fields: Fields): void {
    const now = new Date(this.#now).toISOString();
    const before: Record<string, unknown> = this.#users.get(fields.id) ?? { online: false, created_at: now };
    const user: Record<string, unknown> = { ...before, ...fields, updated_at: now };
    if (fields['online'] !== undefined && fields['online'] !== before['online']) user['last_active'] = now;
    for (const [field, value] of Object.entries(user)) if (value === undefined) delete user[field];
    this.#users.set(fields.id, user as User<Custom>);
  }

  /** A user as everyone sees them. */
  #see(id: string): User<Custom> | undefined {
    const user = this.#users.get(id);
    return user && id === this.#userID && this.#invisible ? { ...user, online: false } : user;
  }

  #own(id: string): OwnUser<Custom> {
    return { ...(this.#users.get(id) as User<Custom>), invisible: this.#invisible };
  }

  /** What the server says of somebody. */
  #word(id: string): Presence<Custom> {
    const user = this.#see(id);
    if (!user) return unknown(id);
    const lastActive = user.last_active ? new Date(user.last_active) : null;
    return { id, online: user.online === true, lastActive, status: user.status ?? null, freshness: 'live', asOf: null, user };
  }

  /** Keeps it, and tells of it: first by the event, if one comes with it, then whoever watches them if it is another. */
  #learn(id: string, presence: Presence<Custom>, resync: boolean, event?: PresenceEvent<Custom>): void {
    const before = this.known(id);
    this.#known.set(id, presence);
    if (event) this.#emit(event);
    if (before.user === presence.user && before.freshness === presence.freshness) return;
    for (const [watch, hear] of [...this.#listening]) {
      if (this.#watches.get(watch)?.has(id)) hear({ ...presence, resync });
    }
  }

  #hello(): EventMap<Custom>['health.check'] {
    return { type: 'health.check', connection_id: 'fake', me: this.#own(this.#mustBe('client.connectUser')) };
  }

  #become(state: Connection['state']): void {
    this.#state = state;
    this.#since = this.#now;
    this.#emit({ type: 'connection.state', connection: this.connection });
  }

  #emit(event: PresenceEvent<Custom>): void {
    tell([...this.#handlers].filter(([, type]) => type === null || type === event.type).map(([handler]) => handler), event);
  }
}
