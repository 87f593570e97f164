// What the package adds to a web app: everything a browser downloads for it, compressed.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { test } from 'node:test';
import { brotliCompressSync, constants } from 'node:zlib';
import { build } from 'esbuild';
import { installed, project } from './harness/package.mjs';

/** Bytes: what is reached, and 3 %. */
const BUDGET = 31_940;

const brotli = (content) =>
  brotliCompressSync(content, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length },
  }).length;

test('the package fits its budget', async (t) => {
  const { outputFiles } = await build({
    stdin: { contents: "export { PresenceClient } from 'rollcall'", resolveDir: await project() },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    // As the package is written, and as Vite and webpack leave it; esbuild alone would escape it.
    charset: 'utf8',
    write: false,
    logLevel: 'error',
  });
  const folder = await installed();
  const parts = { 'rollcall.js, bundled and minified': brotli(outputFiles[0].contents) };
  for (const name of readdirSync(folder).filter((name) => extname(name) === '.wasm')) {
    parts[name] = brotli(readFileSync(join(folder, name)));
  }
  const total = Object.values(parts).reduce((sum, bytes) => sum + bytes, 0);
  for (const [name, bytes] of Object.entries(parts)) t.diagnostic(`${name}: ${bytes} bytes`);
  t.diagnostic(`package size, brotli: ${total} bytes of ${BUDGET}`);
  assert.ok(total <= BUDGET, `the package has grown to ${total} bytes of brotli; its budget is ${BUDGET}`);
});
