// `rollcall/wasm`: the wasm as a file of its own, and what a strict content security policy asks of
// both entries.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { newPage } from './harness/browser.mjs';
import { installed } from './harness/package.mjs';
import { newStage } from './harness/stage.mjs';
import { serve, typeOf } from './harness/web.mjs';

/** A page of a site that sends this `content-security-policy` and imports this file of the package. */
async function open(t, policy, { entry = 'wasm/wasm.js', ...options } = {}) {
  const site = await serve(async ({ url }, response) => {
    const headers = { 'content-security-policy': policy, 'content-type': url === '/' ? 'text/html' : typeOf(url) };
    if (url === '/main.js') response.writeHead(200, headers).end(`import * as rollcall from '/${entry}'; window.rollcall = rollcall;`);
    else if (url === '/') response.writeHead(200, headers).end('<!doctype html><title>strict</title><script type="module" src="/main.js"></script>');
    else {
      const content = await readFile(join(await installed(), url)).catch(() => null);
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
  const { page, complaints, seesJack } = await openStrict(t);
  const early = await failure(page, () => new window.rollcall.PresenceClient('key'));
  assert.deepEqual(early.slice(0, 2), ['PresenceError', 'not_initialized']);
  assert.match(early[2], /await init/);
  assert.deepEqual((await failure(page, () => window.rollcall.init())).slice(0, 2), ['PresenceError', 'invalid_argument']);

  await page.evaluate(async () => {
    await window.rollcall.init('/wasm/rollcall.wasm');
    await window.rollcall.init('/wasm/rollcall.wasm');
    if (!(new window.rollcall.PresenceClient('key') instanceof window.rollcall.PresenceClient)) throw new Error('it is of another class');
  });
  await seesJack();
  assert.deepEqual(complaints, []);
});

test('and the entry that has the wasm inside asks for no more', async (t) => {
  const { complaints, seesJack } = await openStrict(t, { entry: 'rollcall.js' });
  await seesJack();
  assert.deepEqual(complaints, []);
});

/** A page under as strict a policy as there is, with the server as the only other origin. */
async function openStrict(t, options) {
  const stage = await newStage(t, { grace: '0s' });
  await stage.admin.upsertUsers([{ id: 'jack' }]);
  const { url } = stage.server;
  const policy = `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ${url} ${url.replace('http', 'ws')}; require-trusted-types-for 'script'`;
  const opened = await open(t, policy, { expected: [/favicon/], ...options });
  const seesJack = async () => {
    await opened.page.evaluate(async ({ key, baseURL, token }) => {
      const client = new window.rollcall.PresenceClient(key, { baseURL });
      await client.connectUser({ id: 'john' }, token);
      window.watch = await client.watchPresence(['jack']);
    }, { key: stage.server.key, baseURL: url, token: stage.server.token('john') });
    const jack = await stage.person('jack', 'node');
    await jack.connect();
    await opened.page.waitForFunction(() => window.watch.get('jack').online);
  };
  return { ...opened, seesJack };
}

test('what went wrong with the file is told, and it may be tried again', async (t) => {
  const { page } = await open(t, "script-src 'self' 'wasm-unsafe-eval'");
  assert.match((await failure(page, () => window.rollcall.init('/nowhere.wasm')))[2], /404/);
  assert.equal(await failure(page, () => window.rollcall.init(new URL('/wasm/rollcall.wasm', location))), null);
  assert.equal(await page.evaluate(() => new window.rollcall.PresenceClient('key').connection.state), 'disconnected');
});

test("without 'wasm-unsafe-eval' the browser refuses, and init says so", async (t) => {
  const { page } = await open(t, "script-src 'self'");
  const [name, , message] = await failure(page, () => window.rollcall.init('/wasm/rollcall.wasm'));
  assert.equal(name, 'CompileError');
  assert.match(message, /Content Security Policy/);
});

test("nor does the entry that has it inside connect then, and what it has opened it closes again", async (t) => {
  const stage = await newStage(t, { grace: '0s' });
  const { page } = await open(t, "script-src 'self'", { entry: 'rollcall.js' });
  await page.evaluate(recordBeginnings);
  const told = await page.evaluate(async ({ key, baseURL, token }) => {
    const client = new window.rollcall.PresenceClient(key, { baseURL });
    const { name, message } = await client.connectUser({ id: 'john' }, token).catch((error) => error);
    return { name, message, state: client.connection.state, user: client.userID, sockets: window.sockets.map(({ readyState }) => readyState > WebSocket.OPEN) };
  }, { key: stage.server.key, baseURL: stage.server.url, token: stage.server.token('john') });
  assert.equal(told.name, 'CompileError');
  assert.match(told.message, /Content Security Policy/);
  assert.deepEqual({ ...told, name: '', message: '' }, { name: '', message: '', state: 'disconnected', user: undefined, sockets: [true] });
});

/** Has the page list, in their order, what it begins: the sockets that it opens and the wasm that it compiles. */
const recordBeginnings = () => {
  Object.assign(window, { begun: [], sockets: [] });
  const listed = (constructor, name, list = []) =>
    new Proxy(constructor, {
      construct(target, given) {
        window.begun.push(name);
        const made = new target(...given);
        list.push(made);
        return made;
      },
    });
  window.WebSocket = listed(WebSocket, 'a socket', window.sockets);
  WebAssembly.Module = listed(WebAssembly.Module, 'the wasm');
};

test('the wasm is compiled while the first socket is being opened, or the token fetched, and not before', async (t) => {
  const stage = await newStage(t);
  const { page } = await open(t, '', { entry: 'rollcall.js' });
  await page.evaluate(recordBeginnings);
  const connect = (fn) =>
    page.evaluate(`(async ({ key, url: baseURL, token }) => {
      const client = new window.rollcall.PresenceClient(key, { baseURL });
      await client.connectUser({ id: 'john' }, ${fn});
      await client.disconnectUser();
      return window.begun;
    })(${JSON.stringify({ key: stage.server.key, url: stage.server.url, token: stage.server.token('john') })})`);
  assert.deepEqual(await connect('token'), ['a socket', 'the wasm']);
  await page.reload();
  await page.waitForFunction(() => window.rollcall);
  await page.evaluate(recordBeginnings);
  assert.deepEqual(await connect("async () => (window.begun.push('the token'), token)"), ['the token', 'the wasm', 'a socket']);
});

test('in Node it takes the bytes', async () => {
  const { init, PresenceClient } = await import(join(await installed(), 'wasm', 'wasm.js'));
  assert.throws(() => new PresenceClient('key'), { name: 'PresenceError', code: 'not_initialized', retryable: false });
  await init(await readFile(join(await installed(), 'wasm', 'rollcall.wasm')));
  assert.equal(new PresenceClient('key').connection.state, 'disconnected');
});
