// Takes the pictures in docs/demo/: four scenes of the page as John sees it, in three sizes, light and dark.
// Needs `npm run build` and `cargo build -p rollcall-server` first; `system-ui` is whatever this machine has.

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { launchChromium } from '../pkg-tests/harness/chromium.mjs';
import { Server } from '../pkg-tests/harness/server.mjs';
import { program, root } from '../scripts/shell.mjs';
import { buildDemo } from './build.mjs';

const SIZES = { phone: [390, 844], tablet: [820, 1180], desktop: [1440, 900] };
const SCHEMES = ['light', 'dark'];
const QUALITY = 72;
/** A thousand people come one after the other. */
const PATIENCE = 120_000;

/** What John does, one scene after the other, and what is at the top of the picture on a small screen. */
const SCENES = {
  board: { play: () => {}, shows: '.top' },
  inspector: {
    shows: '.tools',
    async play(john) {
      await john.click('[data-user="jack"] [data-action="inspect"]');
      await john.waitForSelector('#inspector [data-step="disconnected"]');
    },
  },
  crowd: {
    shows: '.crowd',
    async play(john) {
      await john.click('[data-action="crowd-come"]');
      await john.locator('.counted', { hasText: /^180 online, 820 offline$/ }).waitFor({ timeout: PATIENCE });
      await john.locator('.pace', { hasText: /: [1-9]\d+ came or went/ }).waitFor({ timeout: PATIENCE });
      await john.focus('.grid');
    },
  },
  network: {
    shows: '.tools',
    async play(john) {
      await john.click('[data-action="show-network"]');
      await john.click('[data-action="network-cut"]');
      await john.waitForSelector('[data-user="jack"][data-freshness="stale"]');
      await john.waitForSelector('body[data-connection="offline"]');
    },
  },
};

async function takePictures(folder) {
  const flags = ['--dev-tokens', '--www', await buildDemo()];
  const server = await Server.start({ key: 'rollcall-demo', grace: '100ms', flags });
  try {
    const browser = await launchChromium();
    try {
      const john = await gather(browser, server.url);
      for (const [scene, { play, shows }] of Object.entries(SCENES)) {
        await play(john);
        for (const [size, [width, height]] of Object.entries(SIZES)) {
          await john.setViewportSize({ width, height });
          await john.locator(shows).evaluate((element) => element.scrollIntoView({ block: 'start' }));
          for (const colorScheme of SCHEMES) {
            await john.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
            await writeFile(join(folder, `${scene}-${size}-${colorScheme}.webp`), await capture(john));
          }
        }
        await john.setViewportSize({ width: SIZES.desktop[0], height: SIZES.desktop[1] });
      }
    } finally {
      await browser.close();
    }
  } finally {
    await server.discard();
  }
}

/** Playwright takes PNG and JPEG; Chromium also what is a third as large. */
async function capture(page) {
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: QUALITY });
  await session.detach();
  return Buffer.from(data, 'base64');
}

/** Has everybody come, and some of them go; returns John's page. */
async function gather(browser, url) {
  const open = async (user) => {
    const context = await browser.newContext({ viewport: null, reducedMotion: 'reduce', locale: 'en-GB' });
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
  const [mateo, sofia, amina] = [await open('mateo'), await open('sofia'), await open('amina')];
  await status(sofia, 'sofia', 'Reviewing the release');
  await status(amina, 'amina', 'On call this week');
  const john = await open('john');
  const jack = await open('jack');
  await say(john, 'Is anybody up for lunch?');
  await say(jill, 'I have to leave, sorry. Tomorrow?');
  await Promise.all([jill.close(), mateo.close()]);
  await john.waitForSelector('[data-user="jill"][data-presence="offline"]');
  await john.waitForSelector('[data-user="mateo"][data-presence="offline"]');
  await say(jack, 'I am! Burgers at noon.');
  await status(john, 'john', 'Looking for lunch');
  await status(jack, 'jack', 'In a call until noon');
  // He is there twice for a while.
  const again = await open('jack');
  await again.click('[data-action="disconnect"]');
  await say(amina, 'Count me in.');
  await say(john, 'Perfect. See you there.');
  return john;
}

await program(async () => {
  const folder = join(root, 'docs', 'demo');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await takePictures(folder);
});
