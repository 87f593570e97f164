// An app in one of the frameworks, in Chromium: see `adapters/page.mjs`.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after } from 'node:test';
import { build } from 'esbuild';
import { compile } from 'svelte/compiler';
import { root } from '../../scripts/shell.mjs';
import { newPage } from './browser.mjs';
import { DEADLINE } from './event.mjs';
import { installed } from './package.mjs';
import { serve } from './web.mjs';

const PAGE = '<!doctype html><meta charset="utf-8"><title>app</title><link rel="icon" href="data:,"><script type="module" src="app.js"></script>';

const bundles = new Map();

function bundle(framework) {
  if (!bundles.has(framework)) bundles.set(framework, make(framework));
  return bundles.get(framework);
}

async function make(framework) {
  const { outputFiles } = await build({
    entryPoints: [join(root, 'pkg-tests', 'adapters', `${framework}.mjs`)],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['svelte', 'browser'],
    write: false,
    logLevel: 'error',
    charset: 'utf8',
    define: {
      'process.env.NODE_ENV': '"development"',
      __VUE_OPTIONS_API__: 'true',
      __VUE_PROD_DEVTOOLS__: 'false',
      __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
    },
    plugins: [await packed(), SVELTE],
    nodePaths: [join(root, 'node_modules')],
  });
  return outputFiles[0].text;
}

const SVELTE = {
  name: 'svelte',
  setup({ onLoad }) {
    onLoad({ filter: /\.svelte$/ }, async ({ path }) => {
      const { js } = compile(await readFile(path, 'utf8'), { filename: path, generate: 'client', dev: true });
      return { contents: js.code };
    });
  },
};

/** Has the package come out of its tarball, though the app stands in this repository. */
async function packed() {
  const resolveDir = join(await installed(), '..', '..');
  return {
    name: 'packed',
    setup({ onResolve, resolve }) {
      onResolve({ filter: /^rollcall(\/|$)/ }, ({ path, pluginData, kind }) =>
        pluginData === 'packed' ? undefined : resolve(path, { resolveDir, kind, pluginData: 'packed' }),
      );
    },
  };
}

let apps;

/** The origin of all apps; started when it is first needed. */
async function origin() {
  apps ??= serve(async (request, response) => {
    const [, framework, file] = request.url.split('/');
    if (file === 'app.js') response.writeHead(200, { 'content-type': 'text/javascript' }).end(await bundle(framework));
    else response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE);
  });
  return (await apps).url;
}

after(async () => (await apps)?.close());

export class App {
  /** Opens the app, not yet connected, of the user `id`; the other options are those of `newPage`. */
  static async open(stage, framework, { id = 'john', ...options } = {}) {
    const app = new App();
    app.id = id;
    app.stage = stage;
    const { page, complaints, close } = await newPage(options);
    app.page = page;
    stage.defer(async () => {
      await close();
      if (complaints.length) throw new Error(`the ${framework} page complained:\n${complaints.join('\n')}`);
    });
    page.setDefaultTimeout(DEADLINE);
    await bundle(framework);
    const settings = { key: stage.server.key, baseURL: stage.server.url };
    await page.goto(`${await origin()}/${framework}/#${encodeURIComponent(JSON.stringify(settings))}`);
    await page.waitForFunction(() => window.app);
    await app.do('mount');
    return app;
  }

  /** Calls a method of `window.app`. */
  do(method, ...args) {
    return this.page.evaluate(({ method, args }) => window.app[method](...args), { method, args });
  }

  connect() {
    return this.do('connect', this.id, this.stage.server.token(this.id));
  }

  /** Waits until what a method of `window.app` tells is `wanted`. */
  async until(method, wanted) {
    const found = await this.page
      .waitForFunction(({ method, wanted }) => JSON.stringify(window.app[method]()) === JSON.stringify(wanted), { method, wanted }, { polling: 20 })
      .then(() => true, () => false);
    if (found) return;
    throw new Error(`${method}() never was ${JSON.stringify(wanted)}, but is ${JSON.stringify(await this.do(method))}`);
  }
}
