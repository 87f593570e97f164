// How much memory a page keeps for each user it watches, JavaScript's and that of the wasm, when
// ten thousand were answered by a server. Compared with the official SDK, which keeps the answers.

import { onPage, withChromium } from './harness/pages.mjs';
import { alternate } from './harness/measure.mjs';
import { ids, withServer } from './harness/server.mjs';

/** In a page: kilobytes that watching these added, for each. */
async function measure({ sdk, ids, ...server }) {
  const { connect, watch } = await import('/subject.js');
  const memories = [];
  const { Instance } = WebAssembly;
  WebAssembly.Instance = function (...given) {
    const instance = new Instance(...given);
    memories.push(...Object.values(instance.exports).filter((value) => value instanceof WebAssembly.Memory));
    return instance;
  };
  const client = await connect(sdk, server);
  if (sdk === 'rollcall' && !memories.length) throw new Error('the memory of the wasm was not found');
  const used = async () => {
    for (let times = 0; times < 4; times++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      gc();
    }
    const wasm = memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
    return performance.memory.usedJSHeapSize + wasm;
  };
  // So that what there is once, whoever is watched, is there.
  const few = ids.slice(0, 100);
  window.first = await watch(client, few);
  const before = await used();
  window.watched = await watch(client, ids.slice(few.length));
  return (await used() - before) / (ids.length - few.length) / 1000;
}

export async function results({ short }) {
  const users = short ? 2_000 : 10_000;
  const samples = await withServer(users, ({ key, baseURL, token }) =>
    withChromium((browser, origin) => {
      const of = (sdk) => () =>
        onPage(browser, origin, measure, { sdk, key, baseURL, token: token('john'), ids: ids(users) });
      return alternate({ rollcall: of('rollcall'), 'stream-chat': of('stream-chat') }, short ? 1 : 3);
    }),
  );
  const aims = [{ atMost: 0.34 }, { atMost: 1, of: 'stream-chat' }];
  return [{ what: `heap kept a watched user, of ${users.toLocaleString('en-US')}`, unit: 'kB', ours: 'rollcall', samples, aims }];
}
