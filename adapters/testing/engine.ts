// What stands in `rollcall/testing` where the real client has its WebAssembly: the same calls, with
// a server in the same process and a time that the test moves. All above it is the real client.

import type { Connection } from 'rollcall';
import type { PresenceClient as Page } from '../../src/page/client.js';
import type { Engine as Real } from '../../src/page/engine.js';
import { fromServer, notAccepted, unreachable } from '../../src/page/error.js';
import { seeChannels } from '../../src/page/requests.js';
import { Known, QUERIES, type Watcher } from './known.ts';
import { Refusal } from './refusal.ts';
import type { Server } from './server.ts';
import type { Fields, PublicUser } from './users.ts';

/** As the real client: `connection.changed` says so of a connection that has been gone so long, in milliseconds. */
const GONE = 5_000;
/** Milliseconds between attempts to reconnect; the real client's pauses are random. */
const PAUSE = 1_000;
/** As the real client: how long `connectUser` tries, in milliseconds. */
const PATIENCE = 15_000;

/** A user whom an answer shows, and whether their changes come by themselves from now on. */
interface Seen {
  user: PublicUser;
  isFollowed: boolean;
}

/** What nobody calls here: of frames, and of questions that were under way. */
type Unused = 'free' | typeof Symbol.dispose | 'heard' | 'health' | 'doubt' | 'refused' | 'other' | 'replied' | 'failed';

export class FakeEngine implements Omit<Real, Unused> {
  readonly #server: Server;
  /** The page itself: what it is called through lets nothing be read. */
  readonly #client: Page;
  readonly #known = new Known(
    (watch, id, resync) => {
      if (this.#listening.has(watch)) this.#soon((page) => page._changed(watch, this.#known.presence(id, resync) as any));
    },
    (flipped, lost, user) => this.#emit(flipped ? 'user.presence.changed' : 'user.updated', { user: lost ? { ...user, online: false } : user, resync: true }),
  );
  #page: Page | undefined;
  #introduction: Fields & { id: string } = { id: '' };
  #generation = 0;
  #state: Connection['state'] = 'disconnected';
  #since: number;
  #lastHeard: number | null = null;
  #hasNetwork = true;
  /** Whether this connection was up before. */
  #wasUp = false;
  /** When listeners are told that the connection is gone. */
  #noticeAt: number | null = null;
  #nextTry: number | null = null;
  /** When `connectUser` is given up. */
  #giveUpAt: number | null = null;
  /** The last number of a watch or of a ticket. */
  #number = 0;
  readonly #listening = new Set<number>();
  readonly #channels = new Map<string, { watch: boolean; presence: boolean }>();
  /** Tickets of those who wait for word while there is no connection. */
  #tickets: number[] = [];
  /** What is to be told, in this order, with nothing half done. */
  readonly #outputs: ((page: Page) => void)[] = [];
  #isPumping = false;
  #named: string[] = [];
  #seen: Seen[] = [];

  constructor(server: Server, client: Page) {
    this.#server = server;
    this.#client = client;
    this.#since = this.#now;
  }

  get #now(): number {
    return this.#server.clock.now;
  }

  // --- The connection ---------------------------------------------------------------------------

  connect(page: Page, _renewable: boolean): void {
    this.#page = page;
    this.#giveUpAt = this.#now + PATIENCE;
    this.#dial();
    this.pump();
  }

  #dial(): void {
    const generation = (this.#generation += 1);
    this.#soon((page) => void page._dial(generation));
    this.#become('connecting');
  }

  /** No socket is opened, for the server is here; but it says hello no sooner than over one. */
  open(generation: number): void {
    queueMicrotask(() => this.#opened(generation));
  }

  /** The test's own user connects, and nobody has to wait for it. */
  openAtOnce(): void {
    this.#opened(this.#generation);
  }

  #opened(generation: number): void {
    const introduction = this.#client._connected?.introduction();
    if (!introduction || generation !== this.#generation || this.#state !== 'connecting') return;
    const { user_id, user_details } = JSON.parse(introduction);
    this.#introduction = { ...user_details, id: user_id };
    if (this.#hasNetwork) this.#up();
    else this.#wait();
    this.pump();
  }

  dialFailed(generation: number, reason: unknown): void {
    if (generation !== this.#generation || this.#state !== 'connecting') return;
    this.#fail(reason);
    this.pump();
  }

  /** `connectUser` comes to nothing. */
  #fail(reason: unknown): void {
    this.#end();
    this.#soon((page) => page._settled(undefined, reason));
  }

  #up(): void {
    const hello = this.#server.connect(this.#introduction, (event) => this.#receive(event));
    const isFirst = !this.#wasUp;
    this.#introduction = { id: this.#introduction.id };
    this.#wasUp = true;
    this.#lastHeard = this.#now;
    this.#nextTry = this.#noticeAt = this.#giveUpAt = null;
    this.#soon((page) => page._deliver(hello));
    this.#emit('connection.changed', { online: true });
    if (isFirst) this.#soon((page) => page._settled(hello, undefined));
    this.#become('connected');
    this.#renew(!isFirst);
  }

  #wait(): void {
    this.#generation += 1;
    this.#nextTry = this.#now + PAUSE;
    this.#become('waiting');
  }

  /** The network is gone. */
  lose(): void {
    this.#hasNetwork = false;
    if (this.#state !== 'connected') return;
    this.#server.cut();
    this.#lastHeard = this.#now;
    this.#noticeAt = this.#now + GONE;
    this.#known.doubt(this.#now);
    this.#wait();
    this.pump();
  }

  /** The network is back, and whoever wants a connection has one. */
  regain(): void {
    this.#hasNetwork = true;
    if (this.#state !== 'waiting') return;
    this.#become('connecting');
    this.#up();
    this.pump();
  }

  /** So many milliseconds pass. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const next = Math.min(this.#nextTry ?? Infinity, this.#noticeAt ?? Infinity, this.#giveUpAt ?? Infinity);
      if (next > end) break;
      this.#server.clock.now = next;
      if (next === this.#giveUpAt) this.#fail(notAccepted());
      if (next === this.#noticeAt) {
        this.#noticeAt = null;
        this.#emit('connection.changed', { online: false });
      }
      if (next === this.#nextTry) {
        this.#become('connecting');
        this.#wait();
      }
      this.pump();
    }
    this.#server.clock.now = end;
  }

  disconnect(): undefined {
    if (this.#state === 'disconnected') return;
    this.#server.disconnect();
    // What was still to be told is not for whoever connects next.
    this.#outputs.length = 0;
    this.#end();
  }

  #end(): void {
    this.#generation += 1;
    this.#wasUp = false;
    this.#lastHeard = this.#nextTry = this.#noticeAt = this.#giveUpAt = null;
    this.#tickets = [];
    this.#channels.clear();
    this.#known.forget();
    this.#listening.clear();
    this.#become('disconnected');
  }

  connection(): Connection {
    return {
      state: this.#state,
      since: new Date(this.#since),
      inDoubt: false,
      lastHeard: this.#lastHeard === null ? null : new Date(this.#lastHeard),
      nextTryIn: this.#nextTry === null ? null : this.#nextTry - this.#now,
    };
  }

  connectionId(): string | undefined {
    return this.#state === 'connected' ? 'fake' : undefined;
  }

  // The test alone says what becomes of the network and of the time.
  networkChanged(): void {}
  left(): void {}
  woken(): void {}
  look(): void {}
  catchUp(): boolean {
    return false;
  }

  // --- Telling ----------------------------------------------------------------------------------

  /** Says what there is to say. A listener may call anything here again: that is told after. */
  pump(): void {
    const page = this.#page;
    if (!page || this.#isPumping) return;
    this.#isPumping = true;
    for (let output = this.#outputs.shift(); output; output = this.#outputs.shift()) output(page);
    this.#isPumping = false;
    if (this.#state === 'disconnected') this.#page = undefined;
  }

  #soon(output: (page: Page) => void): void {
    this.#outputs.push(output);
  }

  #emit(type: string, fields: Fields = {}): void {
    const event = { type, created_at: this.#server.clock.timestamp, ...fields };
    this.#soon((page) => page._deliver(event));
  }

  #become(state: Connection['state']): void {
    this.#state = state;
    this.#since = this.#now;
    this.#emit('connection.state', { connection: this.connection() });
  }

  /** An event of the server's. */
  #receive(event: Fields): void {
    this.#lastHeard = this.#now;
    this.#soon((page) => page._deliver(event));
    if (event['type'] === 'user.presence.changed' || event['type'] === 'user.updated') this.#known.hear(event['user'] as PublicUser, this.#now);
    this.pump();
  }

  // --- Requests ---------------------------------------------------------------------------------

  /** Nothing is ever on its way, so that no answer is older than an event. */
  asked(): any {
    return {};
  }

  newer(): undefined {}

  async request(url: string, { method = '', body }: RequestInit): Promise<Fields> {
    if (!this.#hasNetwork) throw unreachable('the test has taken the network away');
    try {
      const { pathname, searchParams } = new URL(url);
      return this.#server.reply(method, pathname, JSON.parse(String(body ?? searchParams.get('payload'))));
    } catch (problem) {
      if (!(problem instanceof Refusal)) throw problem;
      const { code, status, message } = problem;
      throw fromServer({ code, message, StatusCode: status }, status, false);
    }
  }

  see(_id: string, _online: boolean, isFollowed: boolean, user: PublicUser): void {
    this.#seen.push({ user, isFollowed });
  }

  // --- Watching ---------------------------------------------------------------------------------

  newWatch(): number {
    return (this.#number += 1);
  }

  watch(watch: number, id: string): void {
    this.#known.watch(id, watch);
    this.#named.push(id);
  }

  ticket(): number {
    const ids = this.#named.splice(0);
    const ticket = (this.#number += 1);
    if (this.connectionId()) {
      this.#ask(ids, false);
      this.#soon((page) => page._word(ticket, undefined));
    } else {
      this.#tickets.push(ticket);
    }
    return ticket;
  }

  unwatch(watch: number, id: string): void {
    this.#known.unwatch(id, watch);
  }

  listen(watch: number, wanted: boolean): void {
    if (wanted) this.#listening.add(watch);
    else this.#listening.delete(watch);
  }

  watchUsers(): void {
    this.#learn(this.#seen.splice(0), QUERIES, false);
  }

  watchChannel(cid: string, watch: boolean, presence: boolean): void {
    const before = this.#channels.get(cid);
    this.#channels.set(cid, { watch: watch || before?.watch === true, presence: presence || before?.presence === true });
    if (presence) this.#learn(this.#seen.splice(0), cid, false);
  }

  watchMembers(cid: string): void {
    const seen = this.#seen.splice(0);
    const ids = new Set(seen.map(({ user }) => user.id));
    for (const id of this.#known.of((watcher) => watcher === cid)) if (!ids.has(id)) this.#known.unwatch(id, cid);
    this.#learn(seen, cid, true);
  }

  stopWatching(cid: string): void {
    this.#channels.delete(cid);
    for (const id of this.#known.of((watcher) => watcher === cid)) this.#known.unwatch(id, cid);
  }

  presence(id: string): unknown {
    return this.#known.presence(id);
  }

  #learn(seen: Seen[], watcher: Watcher, resync: boolean): void {
    for (const { user, isFollowed } of seen) {
      this.#known.watch(user.id, watcher);
      this.#known.learn(user, isFollowed, this.#now, resync);
    }
  }

  /** Asks the server for these, who are watched. */
  #ask(ids: string[], resync: boolean): void {
    if (!ids.length) return;
    const payload = { filter_conditions: { id: { $in: ids } }, sort: [], presence: true };
    const found = new Set<string>();
    for (let at = 0; at < ids.length; at += 100) {
      const page = { ...payload, filter_conditions: { id: { $in: ids.slice(at, at + 100) } }, limit: 100 };
      for (const user of this.#server.reply('GET', '/users', page)['users'] as PublicUser[]) {
        found.add(user.id);
        this.#known.learn(user, true, this.#now, resync);
      }
    }
    for (const id of ids) if (!found.has(id)) this.#known.miss(id, resync);
  }

  /** Asks anew for all that is watched; `resync` says that the connection is another than before. */
  #renew(resync: boolean): void {
    for (const [cid, { watch, presence }] of this.#channels) {
      const payload = { filter_conditions: { cid }, sort: [], state: true, watch, presence };
      const reply = this.#server.reply('POST', '/channels', payload);
      if (this.#page) seeChannels(this.#client, {} as any, reply, [cid], presence);
    }
    this.#ask(this.#known.of((watcher) => typeof watcher === 'number' || watcher === QUERIES), resync);
    for (const ticket of this.#tickets.splice(0)) this.#soon((page) => page._word(ticket, undefined));
    if (resync) this.#emit('connection.recovered');
  }
}
