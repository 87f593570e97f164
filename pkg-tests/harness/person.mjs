// Somebody with a client: in a browser with either SDK, or with the official one where this runs.
// All of them are driven alike, so that a scene can be played by any cast.

import { StreamChat } from 'stream-chat';
import { Events } from './event.mjs';

/** Ten seconds where the official SDK has three: other work on the machine must not fail a test. */
export const TIMEOUT = 10_000;

export class Person {
  heard = new Events();

  constructor(id, server) {
    this.id = id;
    this.server = server;
  }

  /** Connects with `details` (name, status, invisible…) and a token as the application would give. */
  async connect(details = {}, token = this.server.token(this.id)) {
    return this.do((client, { user, token }) => client.connectUser(user, token).then((first) => first.me), {
      user: { id: this.id, ...details },
      token: await token,
    });
  }

  disconnect() {
    return this.do((client) => client.disconnectUser().then(() => {}));
  }

  /** Asks to be told of the presence of `ids`; tells who of them is online now. */
  watch(...ids) {
    return this.do(async (client, ids) => {
      const { users } = await client.queryUsers({ id: { $in: ids } }, { id: 1 }, { presence: true });
      return Object.fromEntries(users.map(({ id, online }) => [id, online]));
    }, ids);
  }

  /** Writes fields of their own profile. */
  upsert(fields) {
    return this.do((client, user) => client.upsertUser(user).then(() => {}), { id: this.id, ...fields });
  }
}

/** One with the official SDK, in this process or page. */
export class Here extends Person {
  /** `keeper` keeps what the client does; the other options are the SDK's. */
  constructor(id, server, { keeper, ...options } = {}) {
    super(id, server);
    const client = new StreamChat(server.key, { baseURL: server.url, timeout: TIMEOUT, allowServerSideConnect: true, ...options });
    this.client = keeper?.of(client, 'StreamChat') ?? client;
    client.on((event) => this.heard.push(event));
    keeper?.listen(client);
  }

  async do(fn, arg = null) {
    return fn(this.client, arg);
  }

  /** Tries to connect, and tells how that is refused: the SDK puts it into the message, as JSON. */
  async refusal(token) {
    const failure = await this.connect({}, token).then(
      () => {
        throw new Error(`${this.id} was let in`);
      },
      (error) => error,
    );
    return JSON.parse(failure.message);
  }

  end() {
    return this.client.disconnectUser();
  }
}
