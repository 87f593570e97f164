// What each further entry of the package adds to an app that imports it, compressed; and that it is
// all there. The client itself is weighed in `size.test.mjs`.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { brotliCompressSync } from 'node:zlib';
import { build } from 'esbuild';
import { installed, project } from './harness/package.mjs';

/** Bytes of brotli by entry, without the framework and without the client. */
const BUDGETS = {
  './react': 1_500,
  './vue': 1_500,
  './svelte': 1_500,
  './elements': 2_000,
  // The real client but for its WebAssembly, and a server; no page of an app downloads it.
  './testing': 14_400,
};
/** Something of each entry. */
const UNUSED = { react: 'usePresence', vue: 'usePresence', svelte: 'presence', testing: 'fakePresence', wasm: 'init' };
const CLIENT = ['.', './package.json', './wasm', './rollcall.wasm'];
/** Bytes of brotli for `rollcall/wasm` and the file it loads: as for the client that has it inside. */
const CLIENT_BUDGET = 31_000;

const { exports } = JSON.parse(readFileSync(join(await installed(), 'package.json'), 'utf8'));

async function weigh(contents, t, what) {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: await project() },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    external: ['react', 'vue', 'svelte'],
    write: false,
    metafile: true,
    logLevel: 'error',
  });
  const bytes = brotliCompressSync(outputFiles[0].contents).length;
  t.diagnostic(`${what}, brotli: ${bytes} bytes`);
  return { bytes, files: Object.keys(metafile.inputs) };
}

test('every entry is weighed', () => {
  assert.deepEqual(Object.keys(exports).filter((entry) => !CLIENT.includes(entry)).sort(), Object.keys(BUDGETS).sort());
});

for (const [entry, budget] of Object.entries(BUDGETS)) {
  test(`rollcall${entry.slice(1)} fits its budget, and brings no client of its own`, async (t) => {
    const { bytes, files } = await weigh(`export * from 'rollcall${entry.slice(1)}'`, t, `rollcall${entry.slice(1)}`);
    assert.deepEqual(files.filter((file) => file.endsWith('/rollcall.js')), []);
    assert.ok(bytes <= budget, `it has grown to ${bytes} bytes of brotli; its budget is ${budget}`);
  });
}

test('rollcall/wasm and its file fit the budget of the client', async (t) => {
  const { bytes, files } = await weigh("export { init, PresenceClient } from 'rollcall/wasm'", t, 'rollcall/wasm');
  assert.deepEqual(files.filter((file) => file.endsWith('/rollcall.js')), []);
  const file = brotliCompressSync(readFileSync(join(await installed(), 'wasm', 'rollcall.wasm'))).length;
  t.diagnostic(`rollcall.wasm, brotli: ${file} bytes`);
  assert.ok(bytes + file <= CLIENT_BUDGET, `they have grown to ${bytes + file} bytes of brotli; their budget is ${CLIENT_BUDGET}`);
});

test('whoever imports two adapters has what they share once, and who imports none has nothing of them', async (t) => {
  const both = await weigh("export * as a from 'rollcall/react'; export * as b from 'rollcall/elements'", t, 'rollcall/react and rollcall/elements');
  assert.equal(both.files.filter((file) => file.endsWith('roster.js')).length, 1);
  const none = await weigh("export { PresenceClient } from 'rollcall'", t, 'rollcall');
  assert.deepEqual(none.files.filter((file) => file.includes('adapters')), []);
});

test('what is imported for its effects stays, and what is imported for nothing goes', async (t) => {
  const elements = await weigh("import 'rollcall/elements'", t, 'rollcall/elements, for its effects');
  assert.ok(elements.bytes > 1_000, 'nothing is left of the elements');
  for (const entry of ['react', 'vue', 'svelte', 'testing', 'wasm']) {
    const unused = await weigh(`import { ${UNUSED[entry]} } from 'rollcall/${entry}'`, t, `rollcall/${entry}, unused`);
    assert.ok(unused.bytes < 20, `rollcall/${entry} leaves ${unused.bytes} bytes in an app that does not use it`);
  }
});
