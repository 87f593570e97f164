// Somebody's web app: a static site, on another origin than the server's, that imports an SDK.

import { readFile } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { after } from 'node:test';
import { build } from 'esbuild';
import { root } from '../../scripts/shell.mjs';
import { installed } from './package.mjs';
import { serve, typeOf } from './web.mjs';

/** A page that imports one SDK by its name and leaves its client class on `window`. */
const page = (sdk, name) => `<!doctype html>
<meta charset="utf-8"><title>${sdk}</title><link rel="icon" href="data:,">
<script type="importmap">{"imports": {"rollcall": "/rollcall/rollcall.js", "stream-chat": "/stream-chat.js"}}</script>
<script type="module">
  import { ${name} as Client } from '${sdk}';
  window.Client = Client;
</script>`;

const PAGES = {
  '/rollcall.html': page('rollcall', 'PresenceClient'),
  '/stream-chat.html': page('stream-chat', 'StreamChat'),
  '/stories.html': '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module" src="/stories.js"></script>',
};

const bundles = new Map();

/** A module bundled for browsers. */
function bundle(contents) {
  if (!bundles.has(contents)) {
    const bundling = build({
      stdin: { contents, resolveDir: root },
      bundle: true,
      format: 'esm',
      platform: 'browser',
      write: false,
      logLevel: 'error',
      define: { 'process.env': '{}', global: 'globalThis' },
      alias: { 'node:assert': 'assert', 'node:assert/strict': join(root, 'pkg-tests', 'harness', 'strict.mjs') },
    });
    bundles.set(contents, bundling.then((result) => result.outputFiles[0].text));
  }
  return bundles.get(contents);
}

/** Modules that pages import: the official SDK as it is, and the stories about it. */
const BUNDLES = {
  '/stream-chat.js': "export { StreamChat } from 'stream-chat'",
  '/stories.js': "import { play } from './pkg-tests/harness/play-in-page.mjs'; window.play = play",
};

async function content(path) {
  if (path in PAGES) return PAGES[path];
  if (path in BUNDLES) return bundle(BUNDLES[path]);
  if (path.startsWith('/rollcall/')) return readFile(join(await installed(), path.slice('/rollcall/'.length)));
  return readFile(join(root, 'pkg-tests', path));
}

let running;

/** The site's origin; started when it is first needed. */
export async function site() {
  running ??= serve(async (request, response) => {
    const path = normalize(new URL(request.url, 'http://site').pathname);
    try {
      const body = await content(path);
      response.writeHead(200, { 'content-type': typeOf(path) }).end(body);
    } catch (error) {
      response.writeHead(404).end(String(error));
    }
  });
  return (await running).url;
}

after(async () => (await running)?.close());
