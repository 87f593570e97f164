// Somebody whose page shows who is online, in any of the browsers; see `watcher.mjs` one folder up.

import { site } from './site.mjs';

/** How long a page may take to be right again: the longest is a silent loss, nobody's hint, and a back-off. */
const DEADLINE = 40_000;

let pages = 0;

/**
 * Where the page is that shows whether `ids` are online, to `user`.
 *
 * `baseURL` is the way to the server; with `channel`, the official SDK watches that channel's members.
 */
export async function address(stage, { sdk, baseURL, user, ids, channel }) {
  const token = await stage.server.token(user);
  const settings = { sdk, key: stage.server.key, baseURL, user, token, ids, channel };
  // A new address each time: with another fragment alone the page would not be loaded anew.
  return `${await site()}/watcher.html?${pages++}#${encodeURIComponent(JSON.stringify(settings))}`;
}

export class Watcher {
  #stage;
  #ids;

  constructor(stage, browser, ids) {
    this.#stage = stage;
    this.#ids = ids;
    this.browser = browser;
  }

  /**
   * @param stage Where the server is.
   * @param browser From `openBrowser`.
   * @param options `id`: who they are; `ids`: whom they watch; the rest as for `address`.
   */
  static async open(stage, browser, { id = 'jack', ids, baseURL, sdk = 'rollcall', channel }) {
    const watcher = new Watcher(stage, browser, ids);
    await browser.open(await address(stage, { sdk, baseURL, user: id, ids, channel }));
    // Another document takes its place before the server goes.
    stage.defer(() => browser.open('about:blank'));
    await watcher.isReady();
    return watcher;
  }

  /** Waits until the page, just loaded, has connected and asked. */
  async isReady() {
    await this.browser.waitFor('window.watcher');
    await this.#until(({ ready }) => ready);
  }

  /** Waits until these are shown so: `{ john: 'online' }`; see `watcher.mjs` for the words. */
  shows(wanted, deadline) {
    return this.#until((watcher, wanted) => !Object.keys(watcher.differences(wanted)).length, wanted, deadline);
  }

  /** Waits until everybody watched is shown, without a doubt, as the server says to another client. */
  async agrees() {
    await this.shows(await this.#stage.truth(this.#ids));
  }

  /** Waits until the client has said that it is recovered from a lost connection. */
  recovers() {
    return this.#until(({ recovered }) => recovered > 0);
  }

  /** Waits until the page heard of a change of its own user: after all that was sent to it before. */
  async hearsOfHimself() {
    await this.browser.run(() => {
      const { client } = window.watcher;
      return new Promise((resolve, reject) => {
        client.on('user.updated', ({ user }) => user.status === 'myself' && resolve());
        client.upsertUser({ id: client.userID, status: 'myself' }).catch(reject);
      });
    });
  }

  /** How often the browser brought this page back from where pages are kept. */
  restored() {
    return this.browser.run(() => window.watcher.restored);
  }

  /** Fires an event at the page's window, as the browser does when the system tells it something. */
  tell(kind) {
    return this.browser.run((kind) => void window.dispatchEvent(new Event(kind)), kind);
  }

  #until(condition, wanted = {}, deadline = DEADLINE) {
    return this.browser.run(
      `({ wanted, deadline }) => {
        const { watcher } = window;
        const explain = () => 'shown and wanted: ' + JSON.stringify(watcher.differences(wanted)).slice(0, 500);
        return watcher.until(() => (${condition})(watcher, wanted), deadline, explain);
      }`,
      { wanted, deadline },
    );
  }
}
