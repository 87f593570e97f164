// How long it takes until a page that begins to watch 10,000 users knows the truth of all of them,
// and until it knows it again after a lost connection; beside the official SDK, whose app asks for
// a hundred pages, and has to ask for them again.

import { onPage, withChromium } from './harness/pages.mjs';
import { alternate } from './harness/measure.mjs';
import { ids, withServer } from './harness/server.mjs';

const USERS = 10_000;

/** In a page: milliseconds until everybody is known, and until they are again. */
async function measure({ sdk, ids, ...server }) {
  const { connect, watch } = await import('/subject.js');
  const sockets = [];
  window.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given);
      sockets.push(this);
    }
  };
  const client = await connect(sdk, server);
  const began = performance.now();
  window.watched = await watch(client, ids);
  const first = performance.now() - began;

  // From the moment when there is a connection again: how soon that is, chance decides.
  const up = new Promise((resolve) => client.on('connection.changed', ({ online }) => online && resolve(performance.now())));
  const recovered = new Promise((resolve) => client.on('connection.recovered', () => resolve()));
  sockets.at(-1).close();
  const again = await up;
  await (sdk === 'rollcall' ? recovered : watch(client, ids));
  const renewed = performance.now() - again;
  if (sdk === 'rollcall' && !ids.every((id) => window.watched.get(id).freshness === 'live')) throw new Error('not all are known');
  return [first, renewed];
}

export async function results({ short }) {
  const samples = await withServer(USERS, ({ key, baseURL, token }) =>
    withChromium((browser, origin) => {
      const of = (sdk) => () =>
        onPage(browser, origin, measure, { sdk, key, baseURL, token: token('john'), ids: ids(USERS) });
      return alternate({ rollcall: of('rollcall'), 'stream-chat': of('stream-chat') }, short ? 2 : 5);
    }),
  );
  return ['time to first truth of 10,000 users', 'time to renew 10,000 users after a reconnect'].map((what, index) => ({
    what,
    unit: 'ms',
    ours: 'rollcall',
    steady: 'stream-chat',
    samples: Object.fromEntries(Object.entries(samples).map(([name, pairs]) => [name, pairs.map((pair) => pair[index])])),
    aims: [{ atMost: 0.5, of: 'stream-chat' }],
  }));
}
