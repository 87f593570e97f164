// How many presence changes a second reach a listener, in Chromium, over a real socket to a server
// that sends as fast as the socket takes them: this client with and without batches, the official
// SDK, and a bare WebSocket whose frames are parsed and kept.

import { withFlood } from './harness/flood.mjs';
import { alternate } from './harness/measure.mjs';
import { onPage, withChromium } from './harness/pages.mjs';
import { ids } from './harness/server.mjs';

const USERS = 1_000;
/** Events in a frame: what our server puts into one at the most. */
const BATCH = 256;
const BARE = 'bare WebSocket + JSON.parse';

/** In a page: thousands of changes a second, from the first to the last. */
async function measure({ sdk, baseURL, ids, events, inAFrame }) {
  const { connect, watch, watchBare } = await import('/subject.js');
  let heard = 0;
  let began;
  let finish;
  const finished = new Promise((resolve) => (finish = resolve));
  const hear = () => {
    if (heard++ === 0) began = performance.now();
    if (heard === events) finish(performance.now());
  };

  if (sdk) {
    const client = await connect(sdk, { baseURL });
    client.on('user.presence.changed', hear);
    window.watched = await watch(client, ids);
  } else {
    await watchBare(baseURL, hear);
  }
  const body = JSON.stringify({ users: ids.length, events, inAFrame });
  await fetch(`${baseURL}/say`, { method: 'POST', body });
  return events / ((await finished) - began);
}

export async function results({ short }) {
  const [few, many] = short ? [4_000, 60_000] : [60_000, 200_000];
  const samples = await withFlood((baseURL) =>
    withChromium((browser, origin) => {
      const of = (sdk, inAFrame, events) => () =>
        onPage(browser, origin, measure, { sdk, baseURL, ids: ids(USERS), events, inAFrame });
      const subjects = {
        rollcall: of('rollcall', BATCH, many),
        single: of('rollcall', 1, few),
        [BARE]: of(null, 1, few),
        bareBatches: of(null, BATCH, many),
        'stream-chat': of('stream-chat', 1, few),
      };
      return alternate(subjects, short ? 3 : 5);
    }),
  );
  const { single, rollcall, bareBatches, ...others } = samples;
  const common = { unit: 'k/s', ours: 'rollcall', steady: BARE };
  const what = 'presence changes a second into a listener';
  return [
    { ...common, what: `${what}, batches`, samples: { rollcall, [`${BARE}, batches`]: bareBatches, ...others }, aims: [{ atLeast: 100 }] },
    // As near as two measurements of one thing come to each other.
    { ...common, what: `${what}, one a frame`, samples: { rollcall: single, ...others }, aims: [{ atLeast: 0.95, of: BARE }] },
  ];
}
