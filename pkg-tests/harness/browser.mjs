// Pages in one Chromium, each in a context of its own, that report what goes wrong on them.

import { after } from 'node:test';
import { launchChromium } from './chromium.mjs';

let running;

/** The one browser of this run, started when it is first needed. */
const browser = () => (running ??= launchChromium());

after(async () => (await running)?.close());

/**
 * A page, as another person's browser would show it.
 *
 * `complaints` gathers uncaught errors and console errors, but for those that `expected` matches.
 * What else is given is for Playwright's context: `colorScheme`, `reducedMotion`, `viewport`, …
 */
export async function newPage({ expected = [], ...options } = {}) {
  const context = await (await browser()).newContext(options);
  const page = await context.newPage();
  const complaints = [];
  const complain = (text) => {
    if (!expected.some((pattern) => pattern.test(text))) complaints.push(text);
  };
  page.on('pageerror', (error) => complain(`uncaught: ${error.stack ?? error}`));
  page.on('console', (message) => {
    if (message.type() === 'error') complain(`console: ${message.text()} (${message.location().url})`);
  });
  return { page, complaints, close: () => context.close() };
}

/** What Chromium writes to the console when the server is away, or answers with an error. */
export const CONNECTION_LOST = /WebSocket connection to .* failed|net::ERR_/;
export const HTTP_ERROR = /the server responded with a status of [45]\d\d/;
