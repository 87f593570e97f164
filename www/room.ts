import { PresenceClient, type Channel, type Connection as Wire, type Message, type PresenceEvent, type PresenceWatch, type User, type UserInput } from 'rollcall';
import { People } from './people';
import { explain } from './problem';
import { API_KEY } from './rest';
import { Signal } from './signal';
import { isSimulated } from './simulated';
import { joinTeam } from './team';
import type { Visitor } from './visitor';
import { waysOf, type Group, type Way, type WayName } from './ways';

export type Connection =
  | { state: 'connecting' }
  | { state: 'online' }
  /** With `retrying`, the client is on its way back by itself. */
  | { state: 'offline'; retrying: boolean; because: string };

/** The place where everybody who opened the demo meets: one channel that all of them watch. */
export class Room {
  readonly connectionChanged = new Signal<Connection>();
  /** What the client does about its connection is something else now, or whether that is in doubt. */
  readonly wireChanged = new Signal<Wire>();
  readonly heard = new Signal<PresenceEvent>();
  /** All messages there are, oldest first. */
  readonly messagesChanged = new Signal<readonly Message[]>();
  /** Who is on the board is somebody else now. */
  readonly boardChanged = new Signal();
  readonly failed = new Signal<string>();
  readonly people: People;

  readonly #visitor: Visitor;
  readonly #client: PresenceClient;
  readonly #ways: Record<WayName, Way>;
  #way: Way;
  #groups: Group[] = [];
  #arrival: UserInput;
  #connection: Connection = { state: 'connecting' };
  /** Ids of those who turned up, and of those among them who have yet to be asked about. */
  readonly #met = new Set<string>();
  readonly #newcomers: string[] = [];

  constructor(visitor: Visitor, baseURL: string) {
    const { id, invisible } = visitor;
    this.#visitor = visitor;
    this.#arrival = invisible ? { id, invisible } : { id };
    this.#client = new PresenceClient(API_KEY, { baseURL });
    this.people = new People(id, (id) => this.#client.user(id).presence);
    this.#ways = waysOf(this.#client, id);
    this.#way = this.#ways[visitor.way];
    this.#client.on((event) => this.#hear(event));
  }

  get connection(): Connection {
    return this.#connection;
  }

  get wire(): Wire {
    return this.#client.connection;
  }

  /** What somebody of whom this page has heard is called. */
  nameOf(id: string): string {
    return this.#client.user(id).presence.user?.name || this.people.get(id)?.name || id;
  }

  /** Anybody's token: a server that takes these lets everybody be everybody. */
  devToken(id: string): string {
    return this.#client.devToken(id);
  }

  /**
   * A livestream is open to whoever comes along, and tells of it. The client gives the same
   * object each time while it is connected.
   */
  get #channel(): Channel {
    return this.#client.channel('livestream', API_KEY, { name: 'Rollcall demo' });
  }

  /** Whether I hide: then everyone else is told that I am offline. */
  get invisible(): boolean {
    return this.people.hidden;
  }

  /** How the board watches. */
  get way(): Way {
    return this.#way;
  }

  /** Whom the board shows: until another way of watching has its answer, those of the one before. */
  get groups(): readonly Group[] {
    return this.#groups;
  }

  async connect(): Promise<void> {
    const attempt = this.#become({ state: 'connecting' });
    try {
      const { id, name } = this.#visitor;
      const first = await this.#client.connectUser(this.#arrival, this.#client.devToken(id));
      // Only the first time: whether I hide may have changed when I come back.
      this.#arrival = { id };
      this.people.setHidden(first.me?.invisible ?? false);
      if (!first.me?.name) await this.#client.upsertUser({ id, name });
      // The channel first: whoever comes while we ask for the rest announces themselves in it.
      await this.#channel.watch();
      await joinTeam(this.#client, id);
      await this.#watch();
      if (this.#connection !== attempt) return;
      this.#become({ state: 'online' });
      this.#showMessages();
    } catch (error) {
      // What a goodbye interrupted is no failure.
      if (this.#connection !== attempt) return;
      this.#become({ state: 'offline', retrying: false, because: explain(error) });
      await this.#attempt(() => this.#client.disconnectUser());
    }
  }

  async disconnect(): Promise<void> {
    this.#become({ state: 'offline', retrying: false, because: 'You are disconnected.' });
    await this.#attempt(() => this.#client.disconnectUser());
    // Nothing is known any more.
    this.people.lookAtAll();
  }

  /** Watches in another way from now on. */
  async watchBy(name: WayName): Promise<void> {
    const before = this.#way;
    const way = (this.#way = this.#ways[name]);
    this.boardChanged.send();
    if (this.#connection.state !== 'online') return;
    await this.#attempt(async () => {
      await before.stop();
      if (this.#way === way) await this.#watch();
    });
  }

  /** Has the board show one more, where it watches by names. */
  async watchAlso(id: string): Promise<boolean> {
    return this.#attempt(async () => {
      await this.#way.add?.(id);
      this.#showBoard();
    });
  }

  /** Watches others besides those on the board, until a goodbye. */
  watchPresence(ids: readonly string[]): Promise<PresenceWatch> {
    return this.#client.watchPresence(ids);
  }

  setStatus(status: string): Promise<boolean> {
    return this.#attempt(() => this.#client.upsertUser({ id: this.#visitor.id, status }));
  }

  setInvisible(invisible: boolean): Promise<boolean> {
    return this.#attempt(async () => {
      await (invisible ? this.#client.markInvisible() : this.#client.markVisible());
      this.people.setHidden(invisible);
    });
  }

  /** Sends a message under an id of ours, so that a second try is the same message. */
  async send(id: string, text: string): Promise<void> {
    await this.#channel.sendMessage({ id, text });
  }

  /** Does what may fail, and says so when it does. Whether it went well. */
  async #attempt(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.failed.send(explain(error));
      return false;
    }
  }

  #become(connection: Connection): Connection {
    this.#connection = connection;
    if (connection.state !== 'online') this.people.setCurrent(false);
    this.connectionChanged.send(connection);
    return connection;
  }

  /** Asks how those on the board are, and to be told of their changes from here on. */
  async #watch(): Promise<void> {
    await this.#way.start();
    this.people.setCurrent(true);
    this.#showBoard();
  }

  #showBoard(): void {
    this.#groups = this.#way.groups();
    for (const { ids } of this.#groups) for (const id of ids) this.people.look(id);
    this.boardChanged.send();
  }

  /** Of the crowd nothing is passed on: it would bury what people do. */
  #hear(event: PresenceEvent): void {
    switch (event.type) {
      case 'connection.state':
        if (event.connection.state === 'connected') this.people.lookAtAll();
        else this.people.setCurrent(false);
        this.wireChanged.send(event.connection);
        break;
      case 'connection.changed':
        this.#followConnection(event.online);
        break;
      case 'connection.error': {
        const problem = explain(event.error);
        this.#become({ state: 'offline', retrying: false, because: problem });
        this.failed.send(problem);
        break;
      }
      case 'connection.recovered':
        // The client has caught up with all it was told to watch; some may have come for the first time.
        this.#showMessages();
        void this.#attempt(() => this.#watch());
        break;
      case 'user.presence.changed':
        if (isSimulated(event.user)) return;
        // Connected and yet said to be offline: I hide, by another of my windows perhaps.
        if (event.user.id === this.people.me) this.people.setHidden(!event.user.online);
        this.people.look(event.user.id);
        break;
      case 'user.updated':
        if (isSimulated(event.user)) return;
        this.people.look(event.user.id);
        break;
      case 'user.watching.start':
        this.#meet(event.user);
        break;
      case 'member.added':
      case 'member.removed':
        this.#showBoard();
        break;
      case 'message.new':
        this.#showMessages();
        break;
    }
    this.heard.send(event);
  }

  #followConnection(online: boolean): void {
    // While connecting or after a goodbye, the promise that waits for it says how it went.
    if (this.#connection.state === 'connecting') return;
    if (online && this.#connection.state === 'offline' && this.#connection.retrying) {
      this.#become({ state: 'online' });
    } else if (!online && this.#connection.state === 'online') {
      this.#become({ state: 'offline', retrying: true, because: 'The connection is lost. Trying to get it back…' });
    }
  }

  #showMessages(): void {
    const { messages } = this.#channel.state;
    for (const { user } of messages) if (user) this.#meet(user);
    this.messagesChanged.send(messages);
  }

  /** Somebody whom no question has covered: asks how they are, and to be told from now on. */
  #meet({ id }: User): void {
    if (this.people.get(id) || this.#met.has(id)) return;
    this.#met.add(id);
    this.#newcomers.push(id);
    // Many may come at once: one question for all who came together.
    if (this.#newcomers.length === 1) queueMicrotask(() => void this.#attempt(() => this.#askAboutNewcomers()));
  }

  async #askAboutNewcomers(): Promise<void> {
    while (this.#newcomers.length > 0) {
      const ids = this.#newcomers.splice(0, 100);
      const { users } = await this.#client.queryUsers({ id: { $in: ids } }, {}, { presence: true, limit: 100 });
      for (const { id } of users) this.people.look(id);
      this.#ways.everybody.meet?.(users);
      this.#showBoard();
    }
  }
}
