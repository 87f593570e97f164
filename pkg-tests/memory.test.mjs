// How much memory the wasm takes: it never shrinks, so what is needed for a moment is kept for good.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONNECTION_LOST, HTTP_ERROR } from './harness/browser.mjs';
import { newStage } from './harness/stage.mjs';

const CROWD = 10_000;
const crowd = Array.from({ length: CROWD }, (_, n) => `user-${n}`);
/** Bytes for each of them: what is reached, and two pages of memory more. A list of their ids would be 40. */
const BUDGET = 86;

test('10,000 users take little memory, and no more when they are renewed or watched again', async (t) => {
  const flags = ['--rate-limit-scale', '0', '--user-requests-per-minute', '0'];
  const stage = await newStage(t, { flags });
  for (let from = 0; from < CROWD; from += 100) {
    await stage.admin.upsertUsers(crowd.slice(from, from + 100).map((id) => ({ id })));
  }
  const john = await stage.person('john', 'rollcall', { expected: [CONNECTION_LOST, HTTP_ERROR] });
  // Before it connects, for then the wasm is made.
  await john.page.evaluate(() => import('/adapters/wasm-memory.mjs').then(({ wasmBytes }) => (window.wasmBytes = wasmBytes)));
  await john.connect();
  const watched = () =>
    john.do(async (client, crowd) => {
      window.watch?.stop();
      window.watch = await client.watchPresence(crowd);
      const live = crowd.filter((id) => window.watch.get(id).freshness === 'live').length;
      return [live, window.wasmBytes()];
    }, crowd);

  const before = await john.do(() => window.wasmBytes());
  const [live, once] = await watched();
  assert.equal(live, CROWD);
  const each = (once - before) / CROWD;
  t.diagnostic(`the wasm takes ${each.toFixed(0)} bytes of memory for each of ${CROWD} users`);
  assert.ok(each <= BUDGET, `each of ${CROWD} users takes ${each} bytes of the wasm's memory; its budget is ${BUDGET}`);

  // Lists of the first time have left holes, which later ones need not fit.
  const [, twice] = await watched();
  for (let n = 0; n < 5; n += 1) assert.deepEqual(await watched(), [CROWD, twice]);
  assert.ok(twice - once <= CROWD * 14, `watched again, they take ${twice - once} bytes more`);

  await john.do((client) => (window.recovered = new Promise((resolve) => client.on('connection.recovered', resolve))) && null);
  await stage.server.kill();
  await stage.server.start();
  const renewed = await john.do(() => window.recovered.then(() => window.wasmBytes()));
  assert.equal(renewed, twice);
});
