// Chromium, Firefox and WebKit behind the one protocol that all three speak: W3C WebDriver.

import { after } from 'node:test';
import { Builder } from 'selenium-webdriver';
import { DriverService } from 'selenium-webdriver/remote/index.js';
import { newDisplay, required } from '../../scripts/browsers.mjs';
import { FLAGS } from './chromium.mjs';

/** How long anything that runs in a page may take: longer than what is awaited in there. */
const SCRIPT_TIMEOUT = 60_000;

const ENGINES = {
  chromium: {
    driver: 'CHROMEDRIVER',
    capabilities: () => ({
      browserName: 'chrome',
      'goog:chromeOptions': { binary: required('CHROMIUM'), args: ['--headless=new', ...FLAGS] },
    }),
  },
  firefox: {
    driver: 'GECKODRIVER',
    // Scripts of ours may turn the whole browser's network off.
    arguments: ['--allow-system-access'],
    capabilities: () => ({
      browserName: 'firefox',
      'moz:firefoxOptions': {
        binary: required('FIREFOX'),
        args: ['-headless'],
        prefs: { 'network.disable-localhost-when-offline': true },
      },
    }),
  },
  webkit: {
    driver: 'WEBKITDRIVER',
    needsDisplay: true,
    capabilities: () => ({ browserName: 'MiniBrowser' }),
  },
};

export const BROWSERS = Object.keys(ENGINES);

const running = new Map();

/** The one browser of this kind in this run, started when it is first needed. */
export function openBrowser(name) {
  if (!running.has(name)) running.set(name, WebDriver.start(name));
  return running.get(name);
}

after(async () => {
  for (const starting of running.values()) await (await starting.catch(() => null))?.close();
});

class WebDriver {
  static async start(name) {
    const engine = ENGINES[name];
    const browser = new WebDriver();
    browser.name = name;
    browser.display = engine.needsDisplay ? await newDisplay() : null;
    browser.service = new DriverService.Builder(required(engine.driver))
      .setLoopback(true)
      .addArguments(...(engine.arguments ?? []))
      .setEnvironment({ ...process.env, ...browser.display?.env })
      .build();
    try {
      const url = await browser.service.start();
      browser.driver = await new Builder().usingServer(url).withCapabilities(engine.capabilities()).build();
      await browser.driver.manage().setTimeouts({ script: SCRIPT_TIMEOUT });
    } catch (error) {
      await browser.close();
      throw error;
    }
    return browser;
  }

  open(url) {
    return this.driver.get(url);
  }

  reload() {
    return this.driver.navigate().refresh();
  }

  back() {
    return this.driver.navigate().back();
  }

  /** Runs `fn(arg)` in the page and waits for its promise; what it resolves with must survive JSON. */
  async run(fn, arg = null) {
    // Not every driver waits for a promise that a script returns: this way they all do.
    const { failure, value } = await this.driver.executeAsyncScript(
      `const done = arguments[arguments.length - 1];
       new Promise((resolve) => resolve((${fn})(JSON.parse(arguments[0])))).then(
         (value) => done({ value: value ?? null }),
         (error) => done({ failure: String(error?.stack || error) + ' ' + String(error?.message) }),
       );`,
      JSON.stringify(arg),
    );
    if (failure) throw new Error(`in ${this.name}: ${failure}`);
    return value;
  }

  /** Waits until the page has come so far that this expression is true. */
  waitFor(expression) {
    return this.driver.wait(() => this.driver.executeScript(`return Boolean(${expression})`), SCRIPT_TIMEOUT, expression, 20);
  }

  /** A command of Chromium's own protocol; the others have none. */
  devTools(command, parameters) {
    return this.driver.sendDevToolsCommand(command, parameters);
  }

  /**
   * Takes the network away from the whole browser, or gives it back. WebKit's driver cannot: there
   * the page is told what the system would tell it, and the test's proxy does the rest.
   */
  async setOffline(offline) {
    if (this.name === 'chromium') {
      return this.devTools('Network.emulateNetworkConditions', { offline, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
    }
    if (this.name === 'firefox') {
      await this.driver.setContext('chrome');
      await this.driver.executeScript('Services.io.offline = arguments[0]', offline);
      return this.driver.setContext('content');
    }
    return this.run((kind) => void dispatchEvent(new Event(kind)), offline ? 'offline' : 'online');
  }

  async close() {
    await this.driver?.quit().catch(() => {});
    await this.service.kill();
    this.display?.close();
  }
}
