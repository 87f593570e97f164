import { PresenceClient, type Channel, type Message, type PresenceEvent, type PresenceWatch, type User, type UserInput } from 'rollcall';
import { People } from './people';
import { explain } from './problem';
import { Signal } from './signal';
import type { Visitor } from './visitor';

const API_KEY = 'rollcall-demo';

export type Connection =
  | { state: 'connecting' }
  | { state: 'online' }
  /** With `retrying`, the client is on its way back by itself. */
  | { state: 'offline'; retrying: boolean; because: string };

/** The place where everybody who opened the demo meets: one channel that all of them watch. */
export class Room {
  readonly connectionChanged = new Signal<Connection>();
  readonly heard = new Signal<PresenceEvent>();
  /** All messages there are, oldest first. */
  readonly messagesChanged = new Signal<readonly Message[]>();
  readonly failed = new Signal<string>();
  readonly people: People;

  readonly #visitor: Visitor;
  readonly #client: PresenceClient;
  #arrival: UserInput;
  #connection: Connection = { state: 'connecting' };
  /** Of everybody on the page: says when what is known of them becomes uncertain. It ends with the connection. */
  #watch: PresenceWatch | undefined;
  /** Ids of those who turned up, and of those among them who have yet to be asked about. */
  readonly #met = new Set<string>();
  readonly #newcomers: string[] = [];

  constructor(visitor: Visitor, baseURL: string) {
    const { id, invisible } = visitor;
    this.#visitor = visitor;
    this.#arrival = invisible ? { id, invisible } : { id };
    this.people = new People(visitor.id);
    this.#client = new PresenceClient(API_KEY, { baseURL });
    this.#client.on((event) => this.#hear(event));
  }

  get connection(): Connection {
    return this.#connection;
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

  async connect(): Promise<void> {
    const attempt = this.#become({ state: 'connecting' });
    try {
      const { id, name } = this.#visitor;
      const first = await this.#client.connectUser(this.#arrival, this.#client.devToken(id));
      // Only the first time: whether I hide may have changed when I come back.
      this.#arrival = { id };
      this.people.setHidden(first.me?.invisible ?? false);
      if (!first.me?.name) await this.#client.upsertUser({ id, name });
      this.#watch = await this.#client.watchPresence([]);
      this.#watch.on('change', (change) => this.people.trust(change));
      // The channel first: whoever comes while we ask for the rest announces themselves in it.
      await this.#channel.watch();
      await this.#readRoster();
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

  /** Reads who there is, and asks to be told of their changes from here on. */
  async #readRoster(): Promise<void> {
    const { users } = await this.#client.queryUsers({}, { last_active: -1 }, { presence: true, limit: 100 });
    await this.#keep(users);
    this.people.setCurrent(true);
  }

  #hear(event: PresenceEvent): void {
    switch (event.type) {
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
        void this.#attempt(() => this.#readRoster());
        break;
      case 'user.presence.changed':
        // Connected and yet said to be offline: I hide, by another of my windows perhaps.
        if (event.user.id === this.people.me) this.people.setHidden(!event.user.online);
        this.people.keep(event.user);
        break;
      case 'user.updated':
        this.people.keep(event.user);
        break;
      case 'user.watching.start':
        this.#meet(event.user);
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

  /** Somebody whom the first question did not cover: asks how they are, and to be told from now on. */
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
      await this.#keep(users);
    }
  }

  async #keep(users: User[]): Promise<void> {
    for (const user of users) this.people.keep(user);
    const watch = this.#watch;
    if (!watch) return;
    await watch.add(users.map(({ id }) => id));
    for (const { id } of users) this.people.trust(watch.get(id));
  }
}
