// Follows README.md to the letter, in an empty clone: its commands, its page, its snippet.
//
// Every line of an `sh` block is run; what is not to be followed stands in a `console` block.
// Every `js` or `html` block for the server that `npm start` starts is run as a web app: it must
// say something of Jack when he comes online. `guides.test.mjs` runs the others.

import { createServer } from 'node:http';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { launchChromium } from '../pkg-tests/harness/chromium.mjs';
import { inTime } from '../pkg-tests/harness/event.mjs';
import { blocks } from '../pkg-tests/harness/markdown.mjs';
import { serving } from '../pkg-tests/harness/server.mjs';
import { Problem, program, root, run, say, step } from './shell.mjs';

/** In the environment of what the README starts: its `npm test` must not follow the README again. */
export const FOLLOWING = 'ROLLCALL_FOLLOWING_README';

const MINUTES = 60_000;

/** The commands of the `sh` blocks, without comments and prompts. */
function commands(all) {
  return all
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => text.split('\n'))
    .map((line) => line.replace(/^\$ /, '').replace(/\s+#.*$/, '').trim())
    .filter((line) => line && !line.startsWith('#'));
}

/**
 * @param {object} options
 * @param {boolean} options.tests Whether to run `npm test` too, when the README says so.
 */
export async function followReadme({ tests }) {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-readme-'));
  const clone = join(folder, 'rollcall');
  const leaving = [() => rm(folder, { recursive: true, force: true })];
  try {
    await run('git', ['clone', '--quiet', '--local', root, clone], { quiet: true });
    const all = blocks(await readFile(join(clone, 'README.md'), 'utf8'));
    const snippets = all.filter(({ language, text }) => /^(js|html)$/.test(language) && text.includes('http://localhost:8800'));
    const lines = commands(all);
    if (!lines.includes('npm start')) throw new Problem('README.md no longer tells to `npm start`.');
    if (!snippets.length) throw new Problem("README.md shows no snippet for the server that `npm start` starts.");

    // What set-up made for this checkout serves the clone as well: this is about the README, not about downloads.
    const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target');
    leaving.push(() => forgetClient(target));
    const env = {
      ...process.env,
      [FOLLOWING]: 'yes',
      CARGO_TARGET_DIR: target,
      ROLLCALL_LISTEN: '127.0.0.1:0',
    };
    let url;
    for (const line of lines) {
      if (/^(git clone|cd) /.test(line) || /^npm (install|i|add) rollcall$/.test(line)) continue;
      if (line === 'npm test' && !tests) continue;
      if (line === 'npm start') {
        const started = await step(line, () => serving('npm', ['start'], { cwd: clone, env, detached: true, deadline: 10 * MINUTES }));
        leaving.push(() => stop(started));
        url = started.url;
      } else {
        await step(line, () => run('sh', ['-c', line], { cwd: clone, env, quiet: true }));
      }
    }

    const app = await installInto(join(folder, 'app'), join(clone, 'pkg'));
    const browser = await launchChromium();
    leaving.push(() => browser.close());
    for (const snippet of snippets) await step('the snippet', () => tryOut(browser, app, snippet, url));
  } finally {
    for (const leave of leaving.reverse()) await leave();
  }
}

/**
 * Has the client compiled anew the next time: wasm-bindgen writes into it where its sources are,
 * which cargo does not know, and the clone is gone then.
 */
async function forgetClient(target) {
  const fingerprints = join(target, 'wasm32-unknown-unknown', 'client', '.fingerprint');
  for (const name of await readdir(fingerprints)) {
    if (name.startsWith('rollcall-')) await rm(join(fingerprints, name), { recursive: true });
  }
}

async function stop({ child, ended }) {
  process.kill(-child.pid, 'SIGINT');
  await inTime(ended, 'stopping');
}

/** An empty project with the clone's package, as `npm install rollcall` will make it. */
async function installInto(folder, pkg) {
  await mkdir(folder);
  await writeFile(join(folder, 'package.json'), '{ "name": "app", "private": true, "type": "module" }');
  await run('npm', ['pack', pkg, '--pack-destination', folder, '--loglevel=error'], { cwd: folder, quiet: true });
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
  const install = ['install', '--offline', '--no-audit', '--no-fund', '--loglevel=error', `./${tarball}`];
  await run('npm', install, { cwd: folder, quiet: true });
  return folder;
}

/** Serves the snippet as a web app and plays Jack, on the demo page. */
async function tryOut(browser, app, { language, text }, url) {
  const source = text.replaceAll('http://localhost:8800', url);
  const script = language === 'js' ? source : source.match(/<script type="module">([\s\S]*?)<\/script>/)[1];
  const bundle = await build({ stdin: { contents: script, resolveDir: app }, bundle: true, format: 'esm', write: false, logLevel: 'error' });
  const head = '<!doctype html><meta charset="utf-8"><title>app</title><link rel="icon" href="data:,">';
  const body = language === 'js' ? '' : source.replace(/<script type="module">[\s\S]*?<\/script>/, '');
  const server = createServer((request, response) => {
    const [type, content] =
      request.url === '/app.js'
        ? ['text/javascript', bundle.outputFiles[0].text]
        : ['text/html', `${head}<body>${body}<script type="module" src="/app.js"></script></body>`];
    response.writeHead(200, { 'content-type': type }).end(content);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

  try {
    const jack = await browser.newPage();
    await jack.goto(`${url}/?user=jack`);
    await jack.waitForSelector('body[data-connection="online"]');
    await jack.locator('[data-action="disconnect"]').click();
    await jack.waitForSelector('body[data-connection="offline"]');

    const page = await browser.newPage();
    const heard = [];
    page.on('console', (message) => heard.push(message.text()));
    const broken = new Promise((_, reject) => page.once('pageerror', reject));
    const asked = page.waitForResponse((reply) => /\/(users|channels)\b/.test(new URL(reply.url()).pathname) && reply.ok());
    const spoke = page.waitForEvent('console', (message) => /jack.*(online|true)/.test(message.text()));
    spoke.catch(() => {}); // awaited below, unless something fails before
    await page.goto(`http://localhost:${server.address().port}/`);
    await Promise.race([asked, broken]);
    await jack.locator('[data-action="reconnect"]').click();
    await Promise.race([spoke, broken]).catch((error) => {
      throw new Problem(`The README's snippet did not say that Jack came online: ${error.message}\nIt said: ${heard.join('\n')}`);
    });
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  await program(async () => {
    await followReadme({ tests: !process.env[FOLLOWING] });
    say('✓ the README holds');
  });
}
