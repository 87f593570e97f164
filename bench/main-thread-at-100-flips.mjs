// How long a page's main thread is busy in a second in which 100 of 10,000 watched users come or
// go, in Chromium over a real socket: this client, the official SDK, and a bare WebSocket whose
// frames are parsed and kept, one by one or as our page gets them. And a page that hears of nothing:
// less nobody can have.

import { withFlood } from './harness/flood.mjs';
import { alternate } from './harness/measure.mjs';
import { inPage, withChromium, withPage } from './harness/pages.mjs';
import { ids } from './harness/server.mjs';

const USERS = 10_000;
const FLIPS = 100;
/** For how long a server lets events wait for one another: what our page asks for, and what it gets otherwise, in milliseconds. */
const ASKED = 300;
const DEFAULT = 5;
const BARE = 'bare WebSocket + JSON.parse';
const IDLE = 'a page without a socket';

/** In a page: watches these users and listens, until so many events have come. */
async function listen({ sdk, baseURL, ids, events, seconds }) {
  const { connect, watch, watchBare } = await import('/subject.js');
  if (sdk === 'nothing') {
    window.finished = new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    return;
  }
  let hear;
  window.finished = new Promise((resolve) => (hear = () => --events || resolve()));
  if (!sdk) return watchBare(baseURL, hear);
  const client = await connect(sdk, { baseURL });
  client.on('user.presence.changed', hear);
  window.watched = await watch(client, ids);
}

/** Milliseconds that the main thread has worked so far, by its own clock: what others do does not count. */
async function worked(devtools) {
  const { metrics } = await devtools.send('Performance.getMetrics');
  return metrics.find(({ name }) => name === 'TaskDuration').value * 1000;
}

export async function results({ short }) {
  const seconds = short ? 3 : 5;
  const events = FLIPS * seconds;
  const samples = await withFlood((baseURL) =>
    withChromium((browser, origin) => {
      const of = (sdk, batchWindow) => () =>
        withPage(browser, async (page) => {
          await page.goto(origin);
          await inPage(page, listen, { sdk, baseURL, ids: ids(USERS), events, seconds });
          const devtools = await page.context().newCDPSession(page);
          await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
          const before = await worked(devtools);
          const body = JSON.stringify({ users: USERS, events, aSecond: FLIPS, window: batchWindow });
          if (sdk !== 'nothing') await fetch(`${baseURL}/say`, { method: 'POST', body });
          await page.evaluate('finished');
          return ((await worked(devtools)) - before) / seconds;
        });
      const subjects = {
        rollcall: of('rollcall', ASKED),
        'rollcall, 100 ms': of('rollcall', 100),
        [`rollcall, ${DEFAULT} ms`]: of('rollcall', DEFAULT),
        [`bare WebSocket, ${ASKED} ms`]: of(null, ASKED),
        [BARE]: of(null, 0),
        'stream-chat': of('stream-chat', 0),
        [IDLE]: of('nothing', 0),
      };
      return alternate(subjects, short ? 2 : 5);
    }),
  );
  return [
    {
      what: `main thread busy a second, 100 flips/s on 10,000 watched, batchWindow ${ASKED}`,
      unit: 'ms',
      ours: 'rollcall',
      steady: BARE,
      samples,
      aims: [{ atMost: 0.25, of: 'stream-chat' }],
    },
  ];
}
