// Runs the code blocks of the README and the guides, each by itself, against a server: what a block
// takes for granted (`client`, `apiKey`, …) is there, and Jack comes online once it has asked for
// anything. A block must run to its end without an error, or say or show what its notes say.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { compile } from 'svelte/compiler';
import { compileScript, parse } from 'vue/compiler-sfc';
import { root, run, serverBinary } from '../../scripts/shell.mjs';
import { newPage } from './browser.mjs';
import { DEADLINE, inTime } from './event.mjs';
import { blocks } from './markdown.mjs';
import { installed, project } from './package.mjs';
import { serve, typeOf } from './web.mjs';

/** How a block is run: by its note `run`, or else by its language. */
const RUNNERS = {
  js: inPage,
  ts: inPage,
  jsx: inPage,
  vue: inPage,
  svelte: inPage,
  html: inPage,
  console: asCommands,
  test: asTest,
  node: asProgram,
  backend: asBackend,
  config: asConfiguration,
  followed: asFollowed,
};

/** Runs one block. */
export async function runBlock(t, stage, block) {
  const run = RUNNERS[block.notes.run ?? block.language];
  assert.ok(run, `nothing knows how to run a block of ${block.language || 'no language'}`);
  await run(t, stage, block);
}

/** What a reader would have of their own: their server, and their keys. */
const asReaders = ({ server }, text) =>
  text
    .replaceAll(/http:\/\/localhost:8800|https:\/\/presence\.example\.com/g, server.url)
    // The hosted service cannot be reached from here.
    .replace('new PresenceClient(streamApiKey)', 'new PresenceClient(streamApiKey, { baseURL })');

/** What shows a block that is a component in a file of its own. */
const MOUNTS = {
  vue: `import { createApp } from 'vue';
    import { presence } from 'rollcall/vue';
    import Block from './block.vue';
    createApp(Block).use(presence(client)).mount(document.body);`,
  svelte: `import { mount } from 'svelte';
    import Block from './block.svelte';
    mount(Block, { target: document.body, props: { client } });`,
};

/** Such a file, as JavaScript. */
const COMPILERS = {
  vue: (text) => compileScript(parse(text).descriptor, { id: 'block', inlineTemplate: true }).content,
  svelte: (text) => compile(text, { filename: 'block.svelte', generate: 'client' }).js.code,
};

async function bundle(stage, { text, language }) {
  const given = { apiKey: stage.server.key, streamApiKey: stage.server.key, baseURL: stage.server.url, token: await stage.server.token('jill') };
  const component = COMPILERS[language]?.(text);
  const needsClient = component || (/\bclient\b/.test(text) && !/(const|let) client\b/.test(text));
  const shown = language === 'jsx' && text.match(/(?:function|const) (Team|App)\b/)?.[1];
  const { outputFiles } = await build({
    stdin: {
      contents: `import './given.js';\n${MOUNTS[language] ?? text}\n${shown ? `import { createRoot } from 'react-dom/client'; createRoot(document.body).render(<${shown} />);` : ''}\n;globalThis.finished = true;`,
      resolveDir: await project(),
      loader: language === 'ts' ? 'ts' : 'jsx',
    },
    plugins: [{
      name: 'given',
      setup({ onResolve, onLoad }) {
        onResolve({ filter: /^\.\/given\.js$/ }, ({ path }) => ({ path, namespace: 'given' }));
        onResolve({ filter: /^\.\/block\./ }, ({ path }) => ({ path, namespace: 'block' }));
        onLoad({ filter: /./, namespace: 'block' }, async () => ({ resolveDir: await project(), contents: component }));
        onLoad({ filter: /./, namespace: 'given' }, async () => ({
          resolveDir: await project(),
          contents: needsClient
            ? `import { PresenceClient } from 'rollcall';
               Object.assign(globalThis, ${JSON.stringify(given)});
               globalThis.client = new PresenceClient(apiKey, { baseURL });
               await client.connectUser({ id: 'jill' }, token);`
            : `Object.assign(globalThis, ${JSON.stringify(given)});`,
        }));
      },
    }],
    bundle: true,
    format: 'esm',
    jsx: 'automatic',
    nodePaths: [join(root, 'node_modules')],
    conditions: ['svelte', 'browser'],
    define: { 'process.env': '{}', 'process.env.NODE_ENV': '"development"', global: 'globalThis' },
    write: false,
    logLevel: 'error',
  });
  return outputFiles[0].text;
}

/** As a web app: a module that is bundled, or a page as it is. */
async function inPage(t, stage, block) {
  const text = asReaders(stage, block.text);
  const app = block.language === 'html' ? null : await bundle(stage, { ...block, text });
  const page = app === null ? text : '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><body><script type="module" src="/app.js"></script></body>';
  const site = await serve(async ({ url }, response) => {
    const file = url.startsWith('/node_modules/rollcall/') ? await readFile(join(await installed(), url.slice('/node_modules/rollcall/'.length))).catch(() => null) : null;
    if (url === '/token') response.writeHead(200, { 'content-type': 'text/plain' }).end(await stage.server.token('jill'));
    else if (url === '/app.js' || file) response.writeHead(200, { 'content-type': typeOf(url) }).end(file ?? app);
    else response.writeHead(url === '/' ? 200 : 404, { 'content-type': 'text/html' }).end(url === '/' ? page : '');
  });
  stage.defer(site.close);
  const window = await newPage();
  stage.defer(window.close);
  window.page.setDefaultTimeout(DEADLINE);

  const { says, shows } = block.notes;
  const said = [];
  const spoke = says && window.page.waitForEvent('console', (message) => (said.push(message.text()), message.text().includes(says)));
  spoke?.catch(() => {}); // awaited below, unless something fails before
  const broken = new Promise((_, reject) => window.page.once('pageerror', reject));
  broken.catch(() => {});
  const asked = window.page.waitForResponse((reply) => /\/(users|channels)\b/.test(new URL(reply.url()).pathname) && reply.ok());
  asked.catch(() => {}); // not every block asks
  await window.page.goto(site.url);
  const finished = window.page.waitForFunction(() => globalThis.finished);
  finished.catch(() => {});
  await Promise.race([asked, ...(app === null ? [] : [finished]), broken]);
  const jack = await stage.person('jack', 'node');
  await jack.connect({ name: 'Jack' });
  try {
    if (shows) await Promise.race([window.page.getByText(shows, { exact: true }).waitFor(), broken]);
    if (says) await Promise.race([spoke, broken]);
    if (!shows && !says) await Promise.race([finished, broken]);
  } catch (error) {
    const missing = shows ? `showed "${shows}"` : says ? `said "${says}", but:\n${said.join('\n')}` : 'came to its end';
    throw new Error(`it never ${missing}`, { cause: error });
  } finally {
    await jack.disconnect();
  }
  assert.deepEqual(window.complaints, []);
}

/** As a file of tests, run by Node. */
async function asTest(t, stage, { text }) {
  await inFolder(t, async (folder) => {
    await writeFile(join(folder, 'app.test.mjs'), text);
    // Node's runner does not run in itself.
    const { NODE_TEST_CONTEXT, ...env } = process.env;
    const { status, printed } = await finish(start(process.execPath, ['--test', '--test-reporter=tap', 'app.test.mjs'], { cwd: folder, env }));
    assert.equal(status, 0, printed);
    assert.match(printed, /^# pass [1-9]/m, 'it tests nothing');
  });
}

/** As a program of a backend's, which has the secret. */
async function asProgram(t, stage, { text, notes }) {
  await inFolder(t, async (folder) => {
    await mkdir(join(folder, 'node_modules'));
    await symlink(join(root, 'node_modules', 'stream-chat'), join(folder, 'node_modules', 'stream-chat'));
    await writeFile(join(folder, 'program.mjs'), text);
    const { key, secret, url } = stage.server;
    const env = { ...process.env, ROLLCALL_API_KEY: key, ROLLCALL_API_SECRET: secret, ROLLCALL_URL: url };
    const { status, printed } = await finish(start(process.execPath, ['program.mjs'], { cwd: folder, env }));
    assert.equal(status, 0, printed);
    assert.ok(printed.includes(notes.says), `it does not say "${notes.says}", but:\n${printed}`);
  });
}

/** As the server's configuration file. */
async function asConfiguration(t, { server }, { text }) {
  await inFolder(t, async (folder) => {
    await writeFile(join(folder, 'rollcall.toml'), text);
    const env = { ...process.env, ROLLCALL_API_SECRET: server.secret, ROLLCALL_LISTEN: '127.0.0.1:0' };
    const program = start(serverBinary, ['--config', 'rollcall.toml'], { cwd: folder, env });
    await program.says(/Rollcall is running/).finally(() => program.stop());
    await program.ended;
  });
}

/** As `readme.test.mjs` follows the README, in an empty clone: its commands are this block's too. */
async function asFollowed(t, stage, { text }) {
  const readme = blocks(await readFile(join(root, 'README.md'), 'utf8')).filter(({ language }) => language === 'sh');
  const commands = (text) => text.split('\n').map((line) => line.replace(/\s+#.*$/, '')).filter(Boolean);
  const followed = readme.flatMap(({ text }) => commands(text));
  assert.deepEqual(commands(text).filter((command) => !followed.includes(command)), []);
}

/** As an app's backend, which says where it listens and gives tokens for whoever is signed in. */
async function asBackend(t, stage, { text, language, notes }) {
  await inFolder(t, async (folder) => {
    const [command, args] =
      language === 'rust' ? await example(text, notes.file) : (await writeFile(join(folder, 'backend.mjs'), text), [process.execPath, ['backend.mjs']]);
    const program = start(command, args, { cwd: folder, env: { ...process.env, ROLLCALL_API_SECRET: stage.server.secret, PORT: '0' } });
    try {
      const [url] = await program.says(/http:\/\/localhost:\d+/);
      const refused = await fetch(`${url}/token`);
      assert.equal(refused.status, 401);
      const reply = await fetch(`${url}/token`, { headers: { cookie: 'user=jill' } });
      const token = await reply.text();
      assert.equal(reply.status, 200, token);
      const jill = await stage.person('jill', 'node');
      await jill.connect({}, token);
      await jill.disconnect();
    } finally {
      program.stop();
      await program.ended;
    }
  });
}

/** The example of this repository that stands in the guide word for word. */
async function example(text, file) {
  assert.equal(text, await readFile(join(root, file), 'utf8'), `the guide and ${file} differ`);
  const [, name] = file.match(/^server\/examples\/(\w+)\.rs$/);
  // By itself, for however long that takes: a deadline is for what runs.
  await run('cargo', ['build', '--package', 'rollcall-server', '--example', name], { quiet: true });
  return [join(dirname(serverBinary), 'examples', name), []];
}

/**
 * As commands, in an empty folder beside this repository's clone. Of a command that keeps running,
 * what stands below it must be what it says.
 */
async function asCommands(t, stage, { text }) {
  await inFolder(t, async (folder) => {
    await mkdir(join(folder, 'target', 'release'), { recursive: true });
    await symlink(serverBinary, join(folder, 'target', 'release', 'rollcall-server'));
    const env = { ...process.env, ROLLCALL_LISTEN: '127.0.0.1:0', HISTFILE: '' };
    const before = [];
    for (const [, command, answer] of text.matchAll(/^\$ (.*(?:\\\n.*)*)\n((?:(?!\$ ).*\n)*)/gm)) {
      const line = possible(asReaders(stage, command));
      if (/^export /.test(line)) before.push(line);
      const program = start('bash', ['-euc', [...before, /rollcall-server(?!.*--help)/.test(line) ? `exec ${line}` : line].join('\n')], { cwd: folder, env });
      if (/rollcall-server(?!.*--help)/.test(line)) {
        // Another port than the reader's, which may be taken here.
        const wanted = answer.trim().replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/localhost:\d+/, 'localhost:\\d+');
        await program.says(new RegExp(wanted)).finally(() => program.stop());
        await program.ended;
        continue;
      }
      const { status, printed } = await finish(program);
      assert.equal(status, 0, `${command}\n${printed}`);
      for (const line of answer.split('\n')) assert.ok(printed.includes(line), `${command} does not print ${line}, but:\n${printed}`);
    }
  });
}

/** What a command is here, where nothing is built for release and nothing is downloaded. */
function possible(command) {
  return command
    .replace(/^cargo build --release --package (\S+)$/, `cargo pkgid --quiet --manifest-path ${join(root, 'Cargo.toml')} --package $1`)
    .replace(
      /^npm install (.*)\.\.\/rollcall\/pkg$/,
      // Through a link, React and Vue would be found beside this repository, and be there twice.
      (all, flags) => `npm init --yes && npm install ${flags}--offline --no-audit --no-fund ${join(root, 'pkg')} && test ! -L node_modules/rollcall`,
    );
}

async function inFolder(t, work) {
  const folder = await mkdtemp(join(await project(), 'snippet-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await work(folder);
}

/** A program that runs, and what it has printed. */
function start(command, args, options) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  const program = { printed: '', stop: () => child.kill('SIGTERM') };
  program.ended = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, printed: program.printed }));
  });
  program.says = (pattern) =>
    inTime(
      new Promise((resolve, reject) => {
        const look = () => pattern.test(program.printed) && resolve(program.printed.match(pattern));
        for (const stream of [child.stdout, child.stderr]) stream.on('data', look);
        program.ended.then(() => (look(), reject(new Error(`it ended without saying ${pattern}:\n${program.printed}`))), reject);
        look();
      }),
      `${command} saying ${pattern}`,
      MINUTES,
    );
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (program.printed += chunk));
  return program;
}

const finish = (program) => inTime(program.ended, 'a command ending', MINUTES);

/** Cargo may have something to compile. */
const MINUTES = 120_000;
