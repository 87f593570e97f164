// The demo page in the engines that its other tests do not open.

import { test } from 'node:test';
import { demoStage } from './harness/demo.mjs';
import { Visitor } from './harness/visitor.mjs';
import { openBrowser } from './harness/webdriver.mjs';

const shown = (state) => `document.querySelector('[data-user="john"]${state}')`;

for (const name of ['firefox', 'webkit']) {
  test(`people come and go, the network is cut and mended, and a crowd comes, in ${name}`, async (t) => {
    const stage = await demoStage(t, '200ms');
    const john = await Visitor.open(stage, 'john');
    const browser = await openBrowser(name);
    stage.defer(() => browser.open('about:blank'));
    const press = (action) => browser.run((action) => document.querySelector(`[data-action="${action}"]`).click(), action);

    await browser.open(`${stage.server.url}/?user=jack`);
    await john.sees('jack', 'online');
    await browser.waitFor(shown('[data-presence="online"][data-freshness="live"]'));
    await press('show-network');
    await press('network-cut');
    await browser.waitFor(shown('[data-presence="online"][data-freshness="stale"]'));
    await john.press('disconnect');
    await press('network-reconnect');
    await browser.waitFor(shown('[data-presence="offline"][data-freshness="live"]'));
    await press('crowd-come');
    await browser.waitFor('document.querySelectorAll(`.crowd [data-presence="online"]`).length > 20');
    await press('crowd-leave');
    await browser.waitFor('!document.querySelector(`.crowd [data-presence="online"]`)');
  });
}
