// The one page in which the stories about the official SDK play in Chromium.

import assert from 'node:assert/strict';
import { CONNECTION_LOST, HTTP_ERROR, newPage } from './browser.mjs';
import { site } from './site.mjs';

/** What an app sees of an error of the SDK. */
const shown = (error) => ({ message: error.message, code: error.code, status: error.status, StatusCode: error.StatusCode });

export class StoryPage {
  #window;
  /** The story that plays now: its backend and what else of Node it may ask for. */
  #playing;

  static async open() {
    const page = new StoryPage();
    // Stories are about refusals and lost connections too.
    page.#window = await newPage({ expected: [CONNECTION_LOST, HTTP_ERROR] });
    page.page = page.#window.page;
    await page.page.exposeFunction('ask', (...question) => page.#answer(...question));
    await page.page.goto(`${await site()}/stories.html`);
    assert.deepEqual(page.#window.complaints, [], 'the stories do not load');
    await page.page.waitForFunction(() => window.play);
    return page;
  }

  async #answer([what, which], method, args) {
    const { admin, backstage } = this.#playing;
    const target = what === 'channel' ? admin.channel(...which) : { admin, backstage }[what];
    try {
      return { value: await target[method](...args) };
    } catch (error) {
      return { error: shown(error) };
    }
  }

  /** Plays a story; `keep` gets what its people's clients did. */
  async play(chapter, story, { server, admin, backstage, keep }) {
    this.#playing = { admin, backstage };
    const request = [chapter.name, story.name, { key: server.key, url: server.url }];
    const { kept, failure } = await this.page.evaluate((request) => window.play(...request), request);
    for (const thing of kept) keep(thing);
    if (failure) assert.fail(failure);
    assert.deepEqual(this.#window.complaints.splice(0), []);
  }
}
