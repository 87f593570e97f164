// The client as an app in Rust uses it: `examples/yew`, built, in Chromium, before the real server.

import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { root, run } from '../scripts/shell.mjs';
import { CONNECTION_LOST, newPage } from './harness/browser.mjs';
import { newStage } from './harness/stage.mjs';
import { serve, typeOf } from './harness/web.mjs';

const example = join(root, 'examples', 'yew');
const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target');
const built = join(target, 'pkg-tests', 'yew');
const TRIPLE = 'wasm32-unknown-unknown';

before(async () => {
  const manifest = ['--manifest-path', join(example, 'Cargo.toml')];
  await run('cargo', ['fmt', '--check', ...manifest], { quiet: true });
  await run('cargo', ['build', '--locked', ...manifest, '--target', TRIPLE, '--target-dir', target], { quiet: true });
  await rm(built, { recursive: true, force: true });
  const wasm = join(target, TRIPLE, 'debug', 'rollcall-yew.wasm');
  await run('wasm-bindgen', [wasm, '--target', 'web', '--no-typescript', '--out-dir', built], { quiet: true });
}, { timeout: 600_000 });

async function open(t, parameters, options) {
  const site = await serve(async ({ url }, response) => {
    const { pathname } = new URL(url, 'http://localhost');
    const file = pathname === '/' ? join(example, 'index.html') : join(built, pathname.replace('/pkg/', '/'));
    const content = await readFile(file).catch(() => null);
    response.writeHead(content ? 200 : 404, { 'content-type': pathname === '/' ? 'text/html' : typeOf(pathname) }).end(content);
  });
  const { page, complaints, close } = await newPage(options);
  t.after(async () => {
    await close();
    site.close();
  });
  await page.goto(`${site.url}/?${new URLSearchParams(parameters)}`);
  const shows = (...rows) =>
    page.waitForFunction((rows) => [...document.querySelectorAll('li')].map(({ textContent }) => textContent).join() === rows, rows.join());
  return { page, complaints, shows };
}

test('a Yew app shows who comes and goes, and what is no longer certain', async (t) => {
  const stage = await newStage(t, { grace: '0s', key: 'rollcall-demo', flags: ['--dev-tokens'] });
  await stage.admin.upsertUsers([{ id: 'jack' }, { id: 'jill' }]);
  const { shows, complaints } = await open(t, { user: 'john', server: stage.server.url }, { expected: [CONNECTION_LOST] });
  await shows('jack: offline', 'jill: offline', 'joan: unknown');
  const jack = await stage.person('jack', 'node');
  await jack.connect();
  await shows('jack: online', 'jill: offline', 'joan: unknown');
  await jack.disconnect();
  await shows('jack: offline', 'jill: offline', 'joan: unknown');
  await stage.server.kill();
  await shows('jack: not certain', 'jill: not certain', 'joan: unknown');
  assert.deepEqual(complaints, []);
});

test('what goes wrong is an error in Rust too', async (t) => {
  const { page, complaints } = await open(t, { server: 'ftp://localhost' });
  await page.getByRole('alert').filter({ hasText: 'baseURL must begin with http:// or https://' }).waitFor();
  assert.deepEqual(complaints, []);
});

test('the documentation shows what is built here', async () => {
  const documented = (await readFile(join(root, 'src', 'client', 'mod.rs'), 'utf8')).match(/```ignore\n([^]*?)\/\/! ```/)[1];
  const code = documented.replaceAll(/^\/\/! ?/gm, '');
  assert.ok((await readFile(join(example, 'src', 'main.rs'), 'utf8')).includes(code), code);
});
