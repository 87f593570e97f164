// Takes docs/demo.png: the page as John sees it while Jack is here and Jill has left.
// Needs `npm run build` and `cargo build -p rollcall-server` first.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { launchChromium } from '../pkg-tests/harness/chromium.mjs';
import { Server } from '../pkg-tests/harness/server.mjs';
import { program, root } from '../scripts/shell.mjs';
import { buildDemo } from './build.mjs';

async function takePicture(file) {
  const flags = ['--dev-tokens', '--www', await buildDemo()];
  const server = await Server.start({ key: 'rollcall-demo', grace: '100ms', flags });
  try {
    const browser = await launchChromium();
    try {
      await (await scene(browser, server.url)).screenshot({ path: file });
    } finally {
      await browser.close();
    }
  } finally {
    await server.discard();
  }
}

/** Plays what the picture shows; returns John's page. */
async function scene(browser, url) {
  const open = async (user) => {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 760 },
      colorScheme: 'light',
      reducedMotion: 'reduce',
      locale: 'en-GB',
    });
    const page = await context.newPage();
    await page.goto(`${url}/?user=${user}`);
    await page.waitForSelector('body[data-connection="online"]');
    return page;
  };
  const enter = async (page, action, text, seen) => {
    await page.fill(`[data-action="${action}"]`, text);
    await page.press(`[data-action="${action}"]`, 'Enter');
    await page.waitForSelector(seen);
  };
  const say = (page, text) => enter(page, 'send-message', text, `[data-state="sent"] :text("${text}")`);
  const status = (page, user, text) => enter(page, 'set-status', text, `[data-user="${user}"][data-status="${text}"]`);

  const jill = await open('jill');
  await status(jill, 'jill', 'Back tomorrow');
  const john = await open('john');
  const jack = await open('jack');
  await say(john, 'Is anybody up for lunch?');
  await say(jill, 'I have to leave, sorry. Tomorrow?');
  await jill.close();
  await john.waitForSelector('[data-user="jill"][data-presence="offline"]');
  await say(jack, 'I am! Burgers at noon.');
  await status(john, 'john', 'Looking for lunch');
  await status(jack, 'jack', 'In a call until noon');
  await john.waitForSelector('[data-user="jack"][data-status="In a call until noon"]');
  await say(john, 'Perfect. See you there.');
  return john;
}

await program(async () => {
  const docs = join(root, 'docs');
  await mkdir(docs, { recursive: true });
  await takePicture(join(docs, 'demo.png'));
});
