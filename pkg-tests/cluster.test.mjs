// Several nodes, as `npm run cluster` starts them and as compose.yaml describes them.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { freePort, listens, startProxy } from '../scripts/engines.mjs';
import { root, serverBinary } from '../scripts/shell.mjs';
import { newPage } from './harness/browser.mjs';
import { inTime } from './harness/event.mjs';
import { serving } from './harness/server.mjs';

/** Building may be part of it. */
const BUILDING = 300_000;

const text = (...path) => readFile(join(root, ...path), 'utf8');

/** The addresses of the nodes, or their processes, as the log tells them. */
const told = (log, pattern) => [...log.matchAll(pattern)].map(([, word]) => word);

test('people on several nodes see each other, a killed node takes nobody away, and Ctrl-C ends it all', async (t) => {
  const program = await serving('npm', ['run', 'cluster', '--', '--flap-hold', '0s'], { cwd: root, detached: true, deadline: BUILDING });
  t.after(() => program.child.exitCode ?? program.child.signalCode ?? process.kill(-program.child.pid, 'SIGKILL'));
  const nodes = () => told(program.log, /^node \w+ serves at (\S+), as process/gm);
  assert.equal(nodes().length, 2);
  assert.ok(!program.log.includes('\x1b'), 'colours in a log that is no terminal');

  // Each node serves all of it, and so does nginx before them.
  const [one, two] = nodes();
  const windows = {};
  for (const [user, url] of Object.entries({ john: one, jack: two, jill: program.url })) {
    windows[user] = await newPage();
    t.after(windows[user].close);
    await windows[user].page.goto(`${url}/?user=${user}`);
  }
  const sees = ({ page }, user, presence) => page.waitForSelector(`[data-user="${user}"][data-presence="${presence}"]`);
  const everybodySees = () =>
    Promise.all(Object.values(windows).flatMap((window) => Object.keys(windows).map((user) => sees(window, user, 'online'))));
  await everybodySees();
  await windows.jill.page.evaluate(() => {
    window.flips = [];
    for (const person of document.querySelectorAll('[data-user]')) {
      new MutationObserver(() => window.flips.push(`${person.dataset.user} ${person.dataset.presence}`)).observe(person, {
        attributeFilter: ['data-presence'],
      });
    }
  });
  const [first] = told(program.log, /as process (\d+)$/gm);
  process.kill(Number(first), 'SIGKILL');
  await inTime(restarted(program, first), 'the node starting again');
  await everybodySees();
  const flips = await windows.jill.page.evaluate(() => window.flips);
  assert.ok(flips.every((flip) => !flip.endsWith('offline')), `somebody went away: ${flips}`);

  await windows.jack.close();
  await sees(windows.john, 'jack', 'offline');

  process.kill(-program.child.pid, 'SIGINT');
  const { status, signal } = await inTime(program.ended, 'stopping', 60_000);
  assert.ok(status === 0 || signal === 'SIGINT', `it ended with ${status ?? signal}:\n${program.log}`);
  for (const process of told(program.log, /as process (\d+)$/gm)) assert.ok(!alive(process), `process ${process} still runs`);
  await assert.rejects(fetch(program.url), 'nothing serves there any more');
});

test('nothing of a cluster outlives the program that started it, however that ends', async (t) => {
  const program = await serving('npm', ['run', 'cluster', '--', '--nodes', '1', '--drain-window', '0s'], { cwd: root, detached: true, deadline: BUILDING });
  const kill = () => process.kill(-program.child.pid, 'SIGKILL');
  t.after(() => program.child.exitCode ?? program.child.signalCode ?? kill());
  const ports = [...told(program.log, /^node \w+ serves at \S+:(\d+),/gm), ...told(program.log, /^Redis is at \S+:(\d+);/gm), new URL(program.url).port];
  assert.deepEqual(await Promise.all(ports.map(listens)), [true, true, true]);
  kill();
  const ended = async (port) => {
    while (await listens(port)) await new Promise(setImmediate);
  };
  for (const port of ports) await inTime(ended(port), `the end of what listens on ${port}`);
});

test('a node that was away is served again as soon as it is there, also when the other then stops', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-proxy-'));
  const [port, ...ports] = [await freePort(), await freePort(), await freePort()];
  const [one, two] = ports.map((own) => new Backend(own));
  await two.start();
  const proxy = await startProxy(port, ports.map((own) => `127.0.0.1:${own}`), folder);
  t.after(async () => {
    await proxy.stop();
    await rm(folder, { recursive: true });
  });
  const answers = async () => {
    const all = await Promise.all(Array.from({ length: 10 }, () => fetch(`http://127.0.0.1:${port}/healthz`)));
    return all.filter(({ status }) => status === 200).length;
  };
  assert.equal(await answers(), 10, 'one is away');
  await one.start();
  await two.stop();
  assert.equal(await answers(), 10, 'one is back and two is away');
  await one.stop();
});

/** Stands where a node would, and can be away. */
class Backend {
  constructor(port) {
    this.port = port;
  }

  async start() {
    this.server = createServer((_, response) => response.end()).listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
  }

  async stop() {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }
}

/** Resolves once the log says that a process took the place of this one. */
async function restarted(program, process) {
  const name = program.log.match(new RegExp(`^node (\\w+) serves at .* process ${process}$`, 'm'))[1];
  const starts = () => told(program.log, new RegExp(`^node (${name}) serves`, 'gm')).length;
  while (starts() < 2) await new Promise((resolve) => program.child.stderr.once('data', resolve));
}

function alive(id) {
  try {
    return process.kill(Number(id), 0);
  } catch {
    return false;
  }
}

test('compose.yaml sets what the server knows, and nginx names its nodes', async () => {
  const { services, volumes } = parse(await text('compose.yaml'), { merge: true });
  const help = execFileSync(serverBinary, ['--help'], { encoding: 'utf8' });
  for (const name of ['one', 'two']) {
    const variables = Object.keys(services[name].environment);
    for (const variable of variables) assert.ok(help.includes(`[env: ${variable}`), `the server does not know ${variable}`);
    assert.ok(variables.includes('ROLLCALL_REDIS') && variables.includes('ROLLCALL_DATABASE'));
  }
  const nginx = await text('deploy', 'nginx.conf');
  assert.deepEqual(told(nginx, /^ +server (\w+):8800/gm), ['one', 'two']);
  assert.match(nginx, /listen 80;/);
  assert.deepEqual(services.nginx.ports, ['8800:80']);
  assert.deepEqual(services.nginx.volumes, ['./deploy/nginx.conf:/etc/nginx/conf.d/default.conf:ro']);
  assert.deepEqual(services.nginx.depends_on, ['one', 'two']);
  assert.deepEqual(Object.keys(volumes), ['postgres']);
});

test('the image is built from files that are there, with the Rust that the project is built with', async () => {
  const [dockerfile, ignored, toolchain] = await Promise.all([text('Dockerfile'), text('.dockerignore'), text('rust-toolchain.toml')]);
  const [, rust] = toolchain.match(/channel = "(\d+\.\d+)/);
  assert.ok(dockerfile.includes(`FROM rust:${rust}-`), `Dockerfile does not use Rust ${rust}`);
  const wanted = told(ignored, /^!(\S+)$/gm);
  const { workspace_members: members, packages } = JSON.parse(
    execFileSync('cargo', ['metadata', '--format-version', '1', '--no-deps', '--offline'], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 }),
  );
  for (const { manifest_path: path } of packages.filter(({ id }) => members.includes(id))) {
    const file = path.slice(root.length + 1);
    assert.ok(wanted.some((name) => file === name || file.startsWith(`${name}/`)), `the image lacks ${file}`);
  }
});
