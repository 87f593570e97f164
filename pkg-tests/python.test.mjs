// The official `stream-chat` of PyPI, synchronous and asynchronous, on our server.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root, run, tools, which } from '../scripts/shell.mjs';
import { Server } from './harness/server.mjs';

const folder = join(root, 'pkg-tests', 'python');
const environment = join(tools, 'python');

/** A Python that has the SDK; made once, and again when the requirements change. */
async function pythonWithSdk() {
  const requirements = join(folder, 'requirements.txt');
  const stamp = join(environment, '.installed-from');
  const wanted = readFileSync(requirements, 'utf8');
  const python = join(environment, 'bin', 'python');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return python;

  const system = process.env.PYTHON ?? which('python3', 'python');
  if (!system) throw new Error('no Python: install Python 3.8 or newer with its venv module, or set PYTHON to where it is');
  await run(system, ['-m', 'venv', '--clear', environment], { quiet: true });
  await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements], { quiet: true });
  writeFileSync(stamp, wanted);
  return python;
}

test('the official Python SDK', async (t) => {
  const python = await pythonWithSdk();
  const server = await Server.start();
  t.after(() => server.discard());

  const env = { ...process.env, ROLLCALL_URL: server.url, ROLLCALL_API_KEY: server.key, ROLLCALL_API_SECRET: server.secret };
  const child = spawn(python, ['-B', join(folder, 'run.py')], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.on('data', (chunk) => (printed += chunk));
  const status = await new Promise((resolve) => child.once('close', resolve));

  const results = printed.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  assert.ok(results.length > 0, `no story was run (exit ${status})`);
  for (const { name, failure } of results) {
    await t.test(name, () => {
      // Python's traceback says where; ours would only say "here".
      if (failure) throw Object.assign(new Error(failure.trim().split('\n').at(-1)), { stack: failure });
    });
  }
  assert.equal(status, 0);
});
