// Somebody whose client, with either SDK, is in a browser.

import { newPage } from './browser.mjs';
import { Person, TIMEOUT } from './person.mjs';
import { site } from './site.mjs';

export class InBrowser extends Person {
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
