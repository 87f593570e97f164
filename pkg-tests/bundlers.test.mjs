// The packed package in each bundler, with no plugin and no configuration for its sake: a tiny
// project installs it, is built and opened in a browser, and sees Jack come. A project that fails
// is kept.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newPage } from './harness/browser.mjs';
import { Project } from './harness/bundling.mjs';
import { newStage } from './harness/stage.mjs';
import { BROWSERS, openBrowser } from './harness/webdriver.mjs';

/** By the project's folder, how it comes to be served. */
const BUILDS = {
  'vite, built': async (project, t) => {
    await project.build('vite', 'build', '--logLevel', 'warn');
    return project.files(t, 'dist');
  },
  'vite, in development': (project, t) => project.serve(t, 'vite', 'dev', '--host', '127.0.0.1'),
  'worker, built by Vite': async (project, t) => {
    await project.build('vite', 'build', '--logLevel', 'warn');
    return project.files(t, 'dist');
  },
  'wasm as a file, built by Vite': async (project, t) => {
    await project.build('vite', 'build', '--logLevel', 'warn');
    return project.files(t, 'dist');
  },
  webpack: async (project, t) => {
    await project.build('webpack', '--mode', 'production', '--entry', './main.js', '--target', 'web');
    return project.files(t);
  },
  rollup: async (project, t) => {
    await project.build('rollup', '--config', '--silent');
    return project.files(t);
  },
  esbuild: async (project, t) => {
    await project.build('esbuild', 'main.js', '--bundle', '--minify', '--format=esm', '--outdir=dist', '--log-level=warning');
    return project.files(t);
  },
  parcel: async (project, t) => {
    await project.build('parcel', 'build', 'index.html', '--no-cache', '--public-url', './');
    return project.files(t, 'dist');
  },
};

const address = (url, stage) =>
  `${url}/#${encodeURIComponent(JSON.stringify({ key: stage.server.key, baseURL: stage.server.url, token: stage.server.token('john') }))}`;

async function newStageWithJack(t) {
  const stage = await newStage(t, { grace: '0s' });
  await stage.admin.upsertUsers([{ id: 'jack' }]);
  return { stage, jack: await stage.person('jack', 'node') };
}

/** Opens the project's page in Chromium, and has Jack come and go before its eyes. */
async function seesJack(t, url) {
  const { stage, jack } = await newStageWithJack(t);
  const { page, complaints, close } = await newPage();
  stage.defer(close);
  const says = (text) => page.locator('#result', { hasText: new RegExp(`^${text}$`) }).waitFor({ timeout: 30_000 });
  try {
    await page.goto(address(url, stage));
    await says('jack is offline');
    await jack.connect();
    await says('jack is online');
    await jack.disconnect();
    await says('jack is offline');
  } catch (error) {
    const said = await page.locator('#result').textContent({ timeout: 1000 }).catch(() => 'nothing');
    throw new Error(`${error.message}\nThe page says: ${said}\nand complained: ${complaints.join('\n')}`);
  }
  assert.deepEqual(complaints, []);
}

for (const [name, build] of Object.entries(BUILDS)) {
  test(name, (t) => Project.with(name.match(/^\w+/)[0], async (project) => seesJack(t, await build(project, t))));
}

test('next: a page rendered on the server, and alive in the browser', (t) =>
  Project.with('next', async (project) => {
    await project.build('next', 'build');
    const url = await project.serve(t, 'next', 'start', '--hostname', '127.0.0.1');
    const html = await fetch(url).then((reply) => reply.text());
    assert.match(html, /jack is (<!-- -->)?unknown/);
    assert.match(html, /<p id="server">function<\/p>/);
    await seesJack(t, url);
  }));

for (const browser of BROWSERS) {
  test(`a plain module script in ${browser}`, (t) =>
    Project.with('module', async (project) => {
      const url = await project.files(t);
      const { stage, jack } = await newStageWithJack(t);
      const opened = await openBrowser(browser);
      await opened.open(address(url, stage));
      stage.defer(() => opened.open('about:blank'));
      const says = (text) => opened.waitFor(`document.querySelector('#result').textContent === '${text}'`);
      await says('jack is offline');
      await jack.connect();
      await says('jack is online');
      await jack.disconnect();
      await says('jack is offline');
    }));
}
