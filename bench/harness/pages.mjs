// Pages in Chromium that measure, and the modules they import: each client as an app would ship it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { launchChromium, FLAGS } from '../../pkg-tests/harness/chromium.mjs';
import { bundleOf } from '../../pkg-tests/harness/download.mjs';
import { project } from '../../pkg-tests/harness/package.mjs';
import { serve } from '../../pkg-tests/harness/web.mjs';
import { root } from '../../scripts/shell.mjs';

/** The source of a network in the hands of who measures: `eval` it. */
export const NETWORK = readFileSync(join(root, 'tests', 'browser', 'network.js'), 'utf8');

const SOURCES = {
  rollcall: async () => bundleOf("export { PresenceClient as Client } from 'rollcall'", await project()),
  'stream-chat': () => bundleOf("export { StreamChat as Client } from 'stream-chat'", root),
  subject: async () => readFileSync(new URL('subject.js', import.meta.url)),
};

const made = new Map();

/** The module whose `Client` is that of `sdk`, minified and with nothing to import; or what to do with it. */
function moduleOf(sdk) {
  if (!made.has(sdk)) made.set(sdk, SOURCES[sdk]().then((bundle) => Buffer.from(bundle)));
  return made.get(sdk);
}

const PAGE = '<!doctype html><meta charset="utf-8"><title>bench</title><link rel="icon" href="data:,">';

/**
 * Does `work` with an origin whose `/<sdk>.js` are the clients, and `/subject.js` what to do with them. All else is a page, empty but for
 * what `content` makes of its address.
 */
async function withSite(content, work) {
  await Promise.all(Object.keys(SOURCES).map(moduleOf));
  const { url, close } = await serve(async (request, response) => {
    const url = new URL(request.url, 'http://site');
    const sdk = url.pathname.match(/^\/(.+)\.js$/)?.[1];
    const type = sdk ? 'text/javascript' : 'text/html';
    response.writeHead(200, { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store' });
    response.end(sdk ? await moduleOf(sdk) : PAGE + content(url));
  });
  try {
    return await work(url);
  } finally {
    close();
  }
}

/** Does `work` with a browser of its own and such an origin. */
export const withChromium = (work, content = () => '') =>
  withSite(content, async (origin) => {
    const browser = await launchChromium({ args: [...FLAGS, '--js-flags=--expose-gc', '--enable-precise-memory-info'] });
    try {
      return await work(browser, origin);
    } finally {
      await browser.close();
    }
  });

/** Does `work` with a page that shares nothing with any other, and that shows nothing yet. */
export async function withPage(browser, work) {
  const context = await browser.newContext();
  try {
    return await work(await context.newPage());
  } finally {
    await context.close();
  }
}

/** Runs `fn(argument)` in a page; what it takes and returns must survive JSON. */
export const inPage = (page, fn, argument) => page.evaluate(`(${fn})(${JSON.stringify(argument)})`);

/** The same on an empty page of its own. */
export const onPage = (browser, origin, fn, argument) =>
  withPage(browser, async (page) => {
    await page.goto(origin);
    return inPage(page, fn, argument);
  });
