// What the package adds to a web app: everything a browser downloads for it, compressed.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { test } from 'node:test';
import { brotli, bundleOf } from './harness/download.mjs';
import { installed, project } from './harness/package.mjs';

/** Bytes: what is reached, and 3 %. */
const BUDGET = 30_790;

test('the package fits its budget', async (t) => {
  const bundle = await bundleOf("export { PresenceClient } from 'rollcall'", await project());
  const folder = await installed();
  const parts = { 'rollcall.js, bundled and minified': brotli(bundle) };
  for (const name of readdirSync(folder).filter((name) => extname(name) === '.wasm')) {
    parts[name] = brotli(readFileSync(join(folder, name)));
  }
  const total = Object.values(parts).reduce((sum, bytes) => sum + bytes, 0);
  for (const [name, bytes] of Object.entries(parts)) t.diagnostic(`${name}: ${bytes} bytes`);
  t.diagnostic(`package size, brotli: ${total} bytes of ${BUDGET}`);
  assert.ok(total <= BUDGET, `the package has grown to ${total} bytes of brotli; its budget is ${BUDGET}`);
});
