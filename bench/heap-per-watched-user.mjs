// How much memory a page keeps for each user it watches, JavaScript's and that of the wasm, when
// ten thousand were answered by a server. Compared with the official SDK, which keeps the answers.

import { onPage, withChromium } from './harness/pages.mjs';
import { alternate } from './harness/measure.mjs';
import { idOf, withServer } from './harness/server.mjs';

/** In a page: bytes that watching these added, for each. */
async function measure({ sdk, url, key, baseURL, token, ids }) {
  // Each asks for a hundred at most.
  const pages = Array.from({ length: ids.length / 100 }, (_, page) => ids.slice(page * 100, page * 100 + 100));
  const memories = [];
  const { Instance } = WebAssembly;
  WebAssembly.Instance = function (...given) {
    const instance = new Instance(...given);
    memories.push(...Object.values(instance.exports).filter((value) => value instanceof WebAssembly.Memory));
    return instance;
  };
  const { Client } = await import(url);
  const client = new Client(key, { baseURL, timeout: 60_000, disableCache: true, ...(sdk === 'rollcall' && { disableCache: undefined }) });
  await client.connectUser({ id: 'john' }, token);
  const used = async () => {
    for (let times = 0; times < 4; times++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      gc();
    }
    const wasm = memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
    return performance.memory.usedJSHeapSize + wasm;
  };
  /** All that queries answer may be thrown away: what is kept, the client keeps. */
  const watch = async (of) => {
    if (sdk === 'rollcall') window.watch = await client.watchPresence(of.flat());
    else for (const page of of) await client.queryUsers({ id: { $in: page } }, {}, { presence: true, limit: 100 });
  };
  // So that what there is once, whoever is watched, is there.
  await watch([pages[0]]);
  const before = await used();
  await watch(pages.slice(1));
  const after = await used();
  return (after - before) / (ids.length - 100) / 1000;
}

export async function results({ short }) {
  const users = short ? 2_000 : 10_000;
  const samples = await withServer(users, ({ key, baseURL, token }) =>
    withChromium((browser, origin) => {
      const ids = Array.from({ length: users }, (_, number) => idOf(number));
      const of = (sdk) => () =>
        onPage(browser, origin, measure, { sdk, url: `${origin}/${sdk}.js`, key, baseURL, token: token('john'), ids });
      return alternate({ rollcall: of('rollcall'), 'stream-chat': of('stream-chat') }, short ? 1 : 3);
    }),
  );
  const aims = [{ atMost: 0.34 }, { atMost: 1, of: 'stream-chat' }];
  return [{ what: 'heap kept a watched user', unit: 'kB', ours: 'rollcall', samples, aims }];
}
