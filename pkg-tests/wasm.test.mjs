// `rollcall/wasm`: the wasm as a file of its own, and what a strict content security policy asks for.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { newPage } from './harness/browser.mjs';
import { installed } from './harness/package.mjs';
import { newStage } from './harness/stage.mjs';
import { serve, typeOf } from './harness/web.mjs';

const MAIN = `
  import * as rollcall from '/wasm.js';
  window.rollcall = rollcall;`;

/** A page of a site that sends this `content-security-policy`. */
async function open(t, policy, options) {
  const site = await serve(async ({ url }, response) => {
    const headers = { 'content-security-policy': policy, 'content-type': url === '/' ? 'text/html' : typeOf(url) };
    if (url === '/main.js') response.writeHead(200, headers).end(MAIN);
    else if (url === '/') response.writeHead(200, headers).end('<!doctype html><title>strict</title><script type="module" src="/main.js"></script>');
    else {
      const content = await readFile(join(await installed(), 'wasm', url)).catch(() => null);
      response.writeHead(content ? 200 : 404, headers).end(content);
    }
  });
  const { page, complaints, close } = await newPage(options);
  t.after(async () => {
    await close();
    site.close();
  });
  await page.goto(`${site.url}/`);
  await page.waitForFunction(() => window.rollcall);
  return { page, complaints };
}

const failure = (page, fn) =>
  page.evaluate(`Promise.resolve().then(${fn}).then(() => null, (error) => [error.name, error.code ?? null, error.message])`);

test("a strict policy: nothing of other origins but the server's, no eval, no data: addresses", async (t) => {
  const stage = await newStage(t, { grace: '0s' });
  await stage.admin.upsertUsers([{ id: 'jack' }]);
  const { url } = stage.server;
  const policy = `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ${url} ${url.replace('http', 'ws')}; require-trusted-types-for 'script'`;
  const { page, complaints } = await open(t, policy, { expected: [/favicon/] });

  const early = await failure(page, () => new window.rollcall.PresenceClient('key'));
  assert.deepEqual(early.slice(0, 2), ['PresenceError', 'not_initialized']);
  assert.match(early[2], /await init/);
  assert.deepEqual((await failure(page, () => window.rollcall.init())).slice(0, 2), ['PresenceError', 'invalid_argument']);

  const settings = { key: stage.server.key, baseURL: url, token: stage.server.token('john') };
  await page.evaluate(async ({ key, baseURL, token }) => {
    await window.rollcall.init('/rollcall.wasm');
    await window.rollcall.init('/rollcall.wasm');
    const client = new window.rollcall.PresenceClient(key, { baseURL });
    if (!(client instanceof window.rollcall.PresenceClient)) throw new Error('it is of another class');
    await client.connectUser({ id: 'john' }, token);
    window.watch = await client.watchPresence(['jack']);
    window.watch.on('change', () => {});
  }, settings);
  const jack = await stage.person('jack', 'node');
  await jack.connect();
  await page.waitForFunction(() => window.watch.get('jack').online);
  assert.deepEqual(complaints, []);
});

test('what went wrong with the file is told, and it may be tried again', async (t) => {
  const { page } = await open(t, "script-src 'self' 'wasm-unsafe-eval'");
  assert.match((await failure(page, () => window.rollcall.init('/nowhere.wasm')))[2], /404/);
  assert.equal(await failure(page, () => window.rollcall.init(new URL('/rollcall.wasm', location))), null);
  assert.equal(await page.evaluate(() => new window.rollcall.PresenceClient('key').connection.state), 'disconnected');
});

test("without 'wasm-unsafe-eval' the browser refuses, and init says so", async (t) => {
  const { page } = await open(t, "script-src 'self'");
  const [name, , message] = await failure(page, () => window.rollcall.init('/rollcall.wasm'));
  assert.equal(name, 'CompileError');
  assert.match(message, /Content Security Policy/);
});

test('in Node it takes the bytes', async () => {
  const { init, PresenceClient } = await import(join(await installed(), 'wasm', 'wasm.js'));
  assert.throws(() => new PresenceClient('key'), { name: 'PresenceError', code: 'not_initialized', retryable: false });
  await init(await readFile(join(await installed(), 'wasm', 'rollcall.wasm')));
  assert.equal(new PresenceClient('key').connection.state, 'disconnected');
});
