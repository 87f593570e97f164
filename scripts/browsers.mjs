// The browsers that the tests run in, the programs that drive them, the proxy that is put before
// the server, and where they are.

import { existsSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { Problem, which } from './shell.mjs';

/**
 * By the variable that may name it: how the program is called, and the Debian package or crate it is
 * in. Installed, a `daemon` would be started on a port of its own: only its program is taken.
 */
export const PROGRAMS = {
  CHROMIUM: { names: ['chromium', 'chromium-browser', 'google-chrome', 'chrome'], debian: 'chromium' },
  CHROMEDRIVER: { names: ['chromedriver'], debian: 'chromium-driver' },
  FIREFOX: { names: ['firefox', 'firefox-esr'], debian: 'firefox-esr' },
  GECKODRIVER: { names: ['geckodriver'], crate: 'geckodriver' },
  // It brings its own small browser along.
  WEBKITDRIVER: { names: ['WebKitWebDriver'], debian: 'webkit2gtk-driver' },
  // Not NGINX: that variable nginx reads itself.
  NGINX_PROGRAM: { names: ['nginx'], debian: 'nginx', daemon: true },
  XVFB: { names: ['Xvfb'], debian: 'xvfb' },
};

/** Where the program is: as its variable says, or on PATH; null when it is not there. */
export function find(variable) {
  const named = process.env[variable];
  if (!named) return which(...PROGRAMS[variable].names);
  if (existsSync(named)) return named;
  throw new Problem(`${variable} names ${named}, which does not exist.`);
}

/** The same, for what cannot do without. */
export function required(variable) {
  const found = find(variable);
  if (found) return found;
  const { names, debian, crate } = PROGRAMS[variable];
  const where = debian ? `Debian: ${debian}` : `cargo install ${crate}`;
  throw new Problem(`The tests need ${names[0]}: install it (${where}), or set ${variable} to where it is.`);
}

/**
 * A screen that nobody sees: WebKit has no headless mode.
 *
 * @returns {Promise<{ env: object, close: () => void }>} `env` is for the programs that use it.
 */
export function newDisplay() {
  // It finds a free number by itself, and tells it through the descriptor.
  const xvfb = spawn(required('XVFB'), ['-displayfd', '1', '-screen', '0', '1280x800x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return new Promise((resolve, reject) => {
    xvfb.once('error', reject);
    xvfb.once('exit', (status) => reject(new Problem(`Xvfb ended (exit ${status}) before it had a display.`)));
    xvfb.stdout.once('data', (number) => {
      const env = { DISPLAY: `:${String(number).trim()}`, GDK_BACKEND: 'x11' };
      resolve({ env, close: () => xvfb.kill() });
    });
  });
}
