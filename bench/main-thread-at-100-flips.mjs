// How long a page's main thread is busy in a second in which 100 of 10,000 watched users come or
// go, in Chromium over a real socket: this client, as it is and with a longer `batchWindow`, the
// official SDK, and a bare WebSocket whose frames are parsed and kept. And pages in which nothing
// happens: less nobody can have.

import { setTimeout as pause } from 'node:timers/promises';
import { withFlood } from './harness/flood.mjs';
import { alternate } from './harness/measure.mjs';
import { inPage, withChromium, withPage } from './harness/pages.mjs';
import { ids } from './harness/server.mjs';

const USERS = 10_000;
const FLIPS = 100;
/** For how long an app may have its events wait for one another, in milliseconds. */
const LONG = 300;
const SHORTER = 100;
const BARE = 'bare WebSocket + JSON.parse';
const IDLE = 'ours, nobody flips';
const NOTHING = 'a page without a socket';

/** In a page: watches these users and listens, until so many events have come. */
async function listen({ sdk, query, options, baseURL, ids, events }) {
  const { connect, watch, watchBare } = await import('/subject.js');
  let hear;
  if (events) window.finished = new Promise((resolve) => (hear = () => --events || resolve()));
  if (sdk) {
    const client = await connect(sdk, { baseURL, options });
    client.on('user.presence.changed', hear ?? (() => {}));
    window.watched = await watch(client, ids);
  } else if (hear) {
    await watchBare(baseURL, hear, query);
  }
}

/** Milliseconds that the main thread has worked so far, by its own clock: what others do does not count. */
async function worked(devtools) {
  const { metrics } = await devtools.send('Performance.getMetrics');
  return metrics.find(({ name }) => name === 'TaskDuration').value * 1000;
}

export async function results({ short }) {
  const busyFor = short ? 3 : 5;
  // Twice as long as the time between two ticks of the client's timer, or a multiple.
  const idleFor = 10;
  const samples = await withFlood((baseURL) =>
    withChromium((browser, origin) => {
      const of = (subject, flips = FLIPS) => () =>
        withPage(browser, async (page) => {
          const seconds = flips ? busyFor : idleFor;
          const events = flips * seconds;
          await page.goto(origin);
          await inPage(page, listen, { ...subject, baseURL, ids: ids(USERS), events });
          const devtools = await page.context().newCDPSession(page);
          await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
          const before = await worked(devtools);
          const body = JSON.stringify({ users: USERS, events, aSecond: flips });
          if (flips) {
            await fetch(`${baseURL}/say`, { method: 'POST', body });
            await page.evaluate('finished');
          } else {
            await pause(seconds * 1000);
          }
          return ((await worked(devtools)) - before) / seconds;
        });
      const subjects = {
        rollcall: of({ sdk: 'rollcall' }),
        long: of({ sdk: 'rollcall', options: { batchWindow: LONG } }),
        shorter: of({ sdk: 'rollcall', options: { batchWindow: SHORTER } }),
        [BARE]: of({}),
        bareLong: of({ query: `?rollcall=batch:${LONG}` }),
        'stream-chat': of({ sdk: 'stream-chat' }),
        [IDLE]: of({ sdk: 'rollcall' }, 0),
        [NOTHING]: of({}, 0),
      };
      return alternate(subjects, short ? 2 : 5);
    }),
  );
  const { long, shorter, bareLong, ...asItIs } = samples;
  const { 'stream-chat': official, [BARE]: bare } = asItIs;
  const common = { unit: 'ms', ours: 'rollcall', steady: BARE, aims: [{ atMost: 0.25, of: 'stream-chat' }] };
  return [
    { ...common, what: `main thread busy a second, ${FLIPS} flips/s on 10,000 watched`, samples: asItIs },
    {
      ...common,
      what: `the same, of an app that asks for batchWindow: ${LONG}`,
      samples: {
        rollcall: long,
        [`rollcall, batchWindow: ${SHORTER}`]: shorter,
        [`bare WebSocket, ${LONG} ms`]: bareLong,
        [BARE]: bare,
        'stream-chat': official,
      },
    },
  ];
}
