// Somebody on the demo page, who sees and does only what the page offers.

import { newPage } from './browser.mjs';
import { DEADLINE } from './event.mjs';

/** Keeps, on the page, each presence that each person was ever shown with. */
function keepHistory() {
  const history = {};
  window.shown = (id) => history[id] ?? [];
  const look = () => {
    for (const { dataset } of document.querySelectorAll('[data-user]')) {
      const shown = (history[dataset.user] ??= []);
      if (shown.at(-1) !== dataset.presence) shown.push(dataset.presence);
    }
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributeFilter: ['data-presence'] });
}

export class Visitor {
  /**
   * @param {string} id Who they sign in as.
   * @param {object} [options] Those of `newPage`, and
   * @param {string} [options.way] how their board watches,
   * @param {boolean} [options.ownClock] whether time on their page can be moved.
   */
  static async open(stage, id, { way, ownClock, ...options } = {}) {
    const visitor = new Visitor();
    visitor.id = id;
    visitor.window = await newPage(options);
    visitor.page = visitor.window.page;
    stage.defer(() => visitor.#end());
    visitor.page.setDefaultTimeout(DEADLINE);
    await visitor.page.addInitScript(keepHistory);
    if (ownClock) await visitor.page.clock.install();
    await visitor.page.goto(`${stage.server.url}/?${new URLSearchParams({ user: id, ...(way && { way }) })}`);
    await visitor.isConnected();
    return visitor;
  }

  isConnected() {
    return this.page.waitForSelector('body[data-connection="online"]');
  }

  /** Waits until `id` is shown with this presence and, if given, this status. */
  sees(id, presence, status) {
    const wanted = status === undefined ? '' : `[data-status="${status}"]`;
    return this.page.waitForSelector(`[data-user="${id}"][data-presence="${presence}"]${wanted}`);
  }

  /** Waits until what is shown of `id` is known to be so now (`live`), was so once (`stale`), or is `unknown`. */
  trusts(id, freshness) {
    return this.page.waitForSelector(`[data-user="${id}"][data-freshness="${freshness}"]`);
  }

  /** Every presence that `id` was shown with since the page was loaded. */
  shown(id) {
    return this.page.evaluate((id) => window.shown(id), id);
  }

  seesMessage(text, author, presence) {
    return this.page
      .locator('[data-message]', { hasText: text })
      .locator(`[data-author="${author}"][data-presence="${presence}"]`)
      .waitFor();
  }

  press(action) {
    return this.page.locator(`[data-action="${action}"]`).first().click();
  }

  async enter(action, text) {
    const field = this.page.locator(`[data-action="${action}"]`).and(this.page.locator('input, textarea')).first();
    await field.fill(text);
    await field.press('Enter');
  }

  async reload() {
    await this.page.reload();
    await this.isConnected();
  }

  close() {
    return this.page.close();
  }

  async #end() {
    await this.window.close();
    if (this.window.complaints.length) throw new Error(`${this.id}'s page complained:\n${this.window.complaints.join('\n')}`);
  }
}
