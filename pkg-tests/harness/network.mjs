// The package on a page that has no network but the one the test holds in its hands, and no clock
// but the one it sets: what would take minutes or a server takes neither.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/shell.mjs';
import { newPage } from './browser.mjs';
import { inTime } from './event.mjs';
import { site } from './site.mjs';

/** When these pages are looked at; it stays so until a test lets time pass. */
const NOW = Date.UTC(2026, 0, 2);
const NETWORK = readFileSync(join(root, 'tests', 'browser', 'network.js'), 'utf8');

/** A page with a `client` that is not connected, and its `network`; gone when the test is over. */
export async function newBench(t) {
  const { page, complaints, close } = await newPage();
  t.after(async () => {
    await close();
    if (complaints.length) throw new Error(`the page complained:\n${complaints.join('\n')}`);
  });
  await page.clock.install({ time: NOW });
  await page.goto(`${await site()}/rollcall.html`);
  await page.waitForFunction(() => window.Client);
  await page.clock.pauseAt(NOW + 3_600_000);
  await page.evaluate(`window.network = ${NETWORK}`);

  const bench = {
    /** Runs `fn(client, network, arg)` in the page; what it returns must survive JSON. */
    run: (fn, arg = null) =>
      inTime(page.evaluate(`(${fn})(window.client, window.network, ${JSON.stringify(arg)})`), 'what runs in the page'),
    /** Another client that is not connected, and nothing that was said before. */
    restart: () =>
      page.evaluate(() => {
        window.network.sockets.length = window.network.requests.length = 0;
        window.client = new window.Client('key', { baseURL: 'http://presence.test' });
      }),
    /** Connects as the user of `first`, the first frame, with which it resolves. */
    connect(first) {
      return this.run(async (client, network, first) => {
        const connecting = client.connectUser({ id: first.me.id }, client.devToken(first.me.id));
        await network.until(() => network.socket);
        network.socket.say(first);
        return connecting;
      }, first);
    },
    /** Lets time pass, with all that was to happen in it. */
    pass: (milliseconds) => page.clock.runFor(milliseconds),
  };
  await bench.restart();
  return bench;
}
