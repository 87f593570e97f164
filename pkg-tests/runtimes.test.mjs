// The packed package where there is no document: in workers and in Node.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { CONNECTION_LOST, newPage } from './harness/browser.mjs';
import { event, Events, inTime, presence } from './harness/event.mjs';
import { nodes } from './harness/nodes.mjs';
import { project } from './harness/package.mjs';
import { site } from './harness/site.mjs';
import { newStage } from './harness/stage.mjs';
import { root } from '../scripts/shell.mjs';

const runtimes = await nodes();

/** A page whose client, john's, lives in a worker of this kind. */
async function inWorker(stage, kind) {
  const { page, complaints, close } = await newPage({ expected: [CONNECTION_LOST] });
  stage.defer(async () => {
    await close();
    if (complaints.length) throw new Error(`the page complained:\n${complaints.join('\n')}`);
  });
  return { ...(await connectTo(page, stage, kind)), page };
}

async function connectTo(page, stage, kind) {
  await page.goto(`${await site()}/rollcall.html`);
  await page.evaluate((kind) => {
    const worker = new globalThis[kind]('/runtimes/worker.mjs', { type: 'module' });
    const port = worker.port ?? worker;
    const asked = new Map();
    port.onmessage = ({ data: { number, value, problem } }) => {
      const { resolve, reject } = asked.get(number);
      if (problem) reject(new Error(problem));
      else resolve(value);
    };
    worker.onerror = (error) => asked.forEach(({ reject }) => reject(new Error(`the worker failed: ${error.message}`)));
    window.ask = (question) =>
      new Promise((resolve, reject) => {
        const number = asked.size;
        asked.set(number, { resolve, reject });
        port.postMessage({ ...question, number });
      });
  }, kind);
  const { key, url: baseURL } = stage.server;
  return {
    do: (fn, arg = null) =>
      inTime(page.evaluate((question) => window.ask(question), { key, baseURL, fn: String(fn), arg }), `in the ${kind}`),
  };
}

const connect = (client, token) => client.connectUser({ id: 'john' }, token).then(() => typeof document);

/** Resolves with what is known of jack once he is shown so, and that for sure. */
const seeJack = async (client, online) => {
  const watch = await client.watchPresence(['jack']);
  const holds = () => watch.get('jack').freshness === 'live' && watch.get('jack').online === online;
  await new Promise((resolve) => {
    watch.on('change', () => holds() && resolve());
    if (holds()) resolve();
  });
  watch.stop();
};

for (const kind of ['Worker', 'SharedWorker']) {
  test(`a ${kind} watches and is watched, and finds a server again that was killed`, async (t) => {
    const stage = await newStage(t, { grace: '1h' });
    const jack = await stage.person('jack', 'node');
    await jack.connect();
    await stage.admin.upsertUsers([{ id: 'john' }]);
    await jack.watch('john');

    const john = await inWorker(stage, kind);
    assert.equal(await john.do(connect, stage.server.token('john')), 'undefined', 'there is no document');
    await jack.heard.next(presence('john', true));
    await john.do(seeJack, true);

    await stage.server.kill();
    await stage.server.start();
    await jack.heard.next(event('connection.recovered'));
    await john.do(seeJack, true);
    await jack.disconnect();
    await john.do(seeJack, false);

    assert.equal(await john.do((client) => client.disconnectUser().then(() => client.connection.state)), 'disconnected');
  });
}

test('the client of a shared worker outlives the page that brought it up', async (t) => {
  const stage = await newStage(t, { grace: '0s' });
  const jack = await stage.person('jack', 'node');
  await jack.connect();
  await stage.admin.upsertUsers([{ id: 'john' }]);
  await jack.watch('john');

  const first = await inWorker(stage, 'SharedWorker');
  await first.do(connect, stage.server.token('john'));
  const page = await first.page.context().newPage();
  const second = await connectTo(page, stage, 'SharedWorker');
  await first.page.close();
  assert.equal(await second.do((client) => client.connection.state), 'connected');
  await second.do((client) => client.upsertUser({ id: 'john', status: 'still here' }).then(() => {}));
  await jack.heard.next((event) => event.type === 'user.updated' && event.user.status === 'still here');
  assert.equal(jack.heard.all(presence('john')).length, 1, 'he came, and did not go');

  await page.close();
  await jack.heard.next(presence('john', false));
});

for (const { release, program: node } of runtimes) {
  describe(`in Node ${release}`, { skip: !node && 'npm has it not for this system' }, () => inNode(node));
}

function inNode(node) {
  /** Runs the program; `said` gathers its lines, `ended` resolves with its exit status. */
  async function program(stage, token) {
    const script = join(await project(), 'program.mjs');
    await copyFile(join(root, 'pkg-tests', 'runtimes', 'node.mjs'), script);
    const child = spawn(node, [script, stage.server.key, stage.server.url, token]);
    stage.defer(() => child.kill('SIGKILL'));
    const said = new Events();
    const complaints = [];
    child.stdout.on('data', (text) => String(text).trim().split('\n').forEach((line) => said.push({ type: line })));
    child.stderr.on('data', (text) => complaints.push(String(text)));
    const ended = new Promise((resolve) => child.once('close', resolve)).then((status) => ({ status, complaints }));
    return { said, ended };
  }

  test('a program watches, finds a server again that was killed, and ends by itself once it has disconnected', async (t) => {
    const stage = await newStage(t);
    const jack = await stage.person('jack', 'node');
    await jack.connect();
    const { said, ended } = await program(stage, stage.server.token('john'));
    await said.next(event('jack is online'));
    await stage.server.kill();
    await stage.server.start();
    await said.next(event('recovered'));
    await jack.heard.next(event('connection.recovered'));
    await jack.disconnect();
    await said.next(event('jack is offline'));
    await said.next(event('disconnected'));
    assert.deepEqual(await inTime(ended, 'the end of the program'), { status: 0, complaints: [] });
  });

  test('a program whose server is not there yet knows at once, and finds it when it is', async (t) => {
    const stage = await newStage(t);
    const jack = await stage.person('jack', 'node');
    await jack.connect();
    await stage.server.kill();
    const { said } = await program(stage, stage.server.token('john'));
    await said.next(event('connecting'));
    const began = Date.now();
    await said.next(event('waiting'));
    assert.ok(Date.now() - began < 5_000, 'it heard so, and did not give up on an answer, which takes ten seconds');
    await stage.server.start();
    await said.next(event('jack is online'));
  });

  test('a program that is refused ends too', async (t) => {
    const stage = await newStage(t);
    const { said, ended } = await program(stage, 'no.token.atall');
    await said.next(({ type }) => type.startsWith('refused'));
    assert.deepEqual(await inTime(ended, 'the end of the program'), { status: 0, complaints: [] });
  });
}
