// Somebody with a client: in a browser with either SDK, or in Node with the official one.
// All of them are driven alike, so that a scene can be played by any cast.

import { StreamChat } from 'stream-chat';
import { newPage } from './browser.mjs';
import { Events } from './event.mjs';
import { site } from './site.mjs';

/** Ten seconds where the official SDK has three: other work on the machine must not fail a test. */
const TIMEOUT = 10_000;

class Person {
  heard = new Events();

  constructor(id, server) {
    this.id = id;
    this.server = server;
  }

  /** Connects with `details` (name, status, invisible…) and a token as the application would give. */
  connect(details = {}, token = this.server.token(this.id)) {
    return this.do((client, { user, token }) => client.connectUser(user, token).then((first) => first.me), {
      user: { id: this.id, ...details },
      token,
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

class InBrowser extends Person {
  constructor(id, server, window) {
    super(id, server);
    this.window = window;
    this.page = window.page;
  }

  static async open(id, server, sdk, options) {
    const person = new InBrowser(id, server, await newPage(options));
    await person.page.exposeFunction('heard', (event) => person.heard.push(event));
    await person.page.goto(`${await site()}/${sdk}.html`);
    await person.#start();
    return person;
  }

  async #start() {
    await this.page.waitForFunction(() => window.Client);
    await this.page.evaluate(
      ({ key, baseURL, timeout }) => {
        window.client = new window.Client(key, { baseURL, timeout });
        window.client.on((event) => window.heard(JSON.parse(JSON.stringify(event))));
      },
      { key: this.server.key, baseURL: this.server.url, timeout: TIMEOUT },
    );
  }

  /** Runs `fn(client, arg)` in the page; what it returns must survive JSON. */
  do(fn, arg = null) {
    return this.page.evaluate(`(${fn})(window.client, ${JSON.stringify(arg)})`);
  }

  /** Runs `fn(client, arg)`, which must fail, and tells what it threw or rejected with. */
  async failure(fn, arg = null) {
    const failure = await this.page.evaluate(`
      Promise.resolve().then(() => (${fn})(window.client, ${JSON.stringify(arg)})).then(
        () => null,
        (error) => ({
          isError: error instanceof Error,
          name: error?.name,
          code: error?.code,
          status: error?.status,
          retryable: error?.retryable,
          message: String(error?.message ?? error),
          hasStack: typeof error?.stack === 'string',
        }),
      )`);
    if (!failure) throw new Error(`nothing failed in ${fn}`);
    return failure;
  }

  /** Reloads the page and connects anew, saying nothing but who they are. */
  async reload() {
    await this.page.reload();
    await this.#start();
    return this.connect();
  }

  /** Closes the tab, as a person does who leaves without a word. */
  close() {
    return this.page.close();
  }

  async end() {
    await this.window.close();
    if (this.window.complaints.length) {
      throw new Error(`${this.id}'s page complained:\n${this.window.complaints.join('\n')}`);
    }
  }
}

class InNode extends Person {
  constructor(id, server) {
    super(id, server);
    this.client = new StreamChat(server.key, { baseURL: server.url, timeout: TIMEOUT, allowServerSideConnect: true });
    this.client.on((event) => this.heard.push(event));
  }

  async do(fn, arg = null) {
    return fn(this.client, arg);
  }

  end() {
    return this.client.disconnectUser();
  }
}

/** Where a person's client runs: `rollcall` and `stream-chat` in Chromium, `node` the official SDK in Node. */
export async function newPerson(id, server, where, options) {
  return where === 'node' ? new InNode(id, server) : InBrowser.open(id, server, where, options);
}
