// `npm start`, as a newcomer runs it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../scripts/shell.mjs';
import { newPage } from './harness/browser.mjs';
import { inTime } from './harness/event.mjs';
import { serving } from './harness/server.mjs';

/** Building may be part of it. */
const BUILDING = 300_000;

/** Flags that keep it off a developer's own port and data. */
async function flags(t, listen = '127.0.0.1:0') {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-start-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return ['start', '--', '--listen', listen, '--database', `sqlite://${join(folder, 'start.db')}`];
}

/** As Ctrl-C does: the terminal signals everything that runs in the foreground. */
const ctrlC = ({ pid }) => process.kill(-pid, 'SIGINT');

test('it says where the demo is, serves it, and Ctrl-C stops it', async (t) => {
  const program = await serving('npm', await flags(t), { cwd: root, detached: true, deadline: BUILDING });
  t.after(() => program.child.exitCode ?? program.child.signalCode ?? process.kill(-program.child.pid, 'SIGKILL'));

  const { page, complaints, close } = await newPage();
  t.after(close);
  await page.goto(`${program.url}/?user=john`);
  await page.waitForSelector('[data-user="john"][data-presence="online"]');
  assert.deepEqual(complaints, []);
  await close();

  ctrlC(program.child);
  const { status, signal } = await inTime(program.ended, 'stopping');
  // npm ends by the signal that it was sent itself, once what it ran has ended.
  assert.ok(status === 0 || signal === 'SIGINT', `it ended with ${status ?? signal}:\n${program.log}`);
  assert.doesNotMatch(program.log, /panicked|npm ERR|npm error|ended with exit code/i);
  await assert.rejects(fetch(program.url), 'nothing serves there any more');
});

test('a port that is taken is a clear error that names the flag', async (t) => {
  const squatter = createServer().listen(0, '127.0.0.1');
  t.after(() => squatter.close());
  await new Promise((resolve) => squatter.once('listening', resolve));
  const listen = `127.0.0.1:${squatter.address().port}`;

  const child = spawn('npm', await flags(t, listen), { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stdout.on('data', (chunk) => (log += chunk));
  child.stderr.on('data', (chunk) => (log += chunk));
  const status = await inTime(new Promise((resolve) => child.once('close', resolve)), 'npm start', BUILDING);
  assert.notEqual(status, 0);
  assert.match(log, /--listen/);
  assert.ok(log.includes(listen), log);
  assert.doesNotMatch(log, /panicked|stack backtrace|at .*\.mjs:\d+/);
});
