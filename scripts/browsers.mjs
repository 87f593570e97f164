// The browsers that the tests run in, the programs that drive them, what stands before and behind
// the server, and where they are.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { Problem, which } from './shell.mjs';

/**
 * By the variable that may name it: how the program is called, and the Debian package or crate it is
 * in. Installed, a `daemon` would be started on a port of its own: only its program is taken. What is
 * `optional` has stories that are left out, visibly, where it cannot be had.
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
  // This package has the whole program, under another name, and starts nothing.
  REDIS_SERVER: { names: ['redis-server', 'valkey-server'], debian: 'redis-tools', alias: 'redis-check-rdb', optional: true },
  POSTGRES: { names: ['postgres'], besides: debianPostgres, debian: 'postgresql', optional: true },
  XVFB: { names: ['Xvfb'], debian: 'xvfb' },
};

/** Where the program is: as its variable says, or on PATH; null when it is not there. */
export function find(variable) {
  const named = process.env[variable];
  const { names, besides } = PROGRAMS[variable];
  if (!named) return which(...names) ?? besides?.() ?? null;
  if (existsSync(named)) return named;
  throw new Problem(`${variable} names ${named}, which does not exist.`);
}

/** The newest of those that Debian keeps side by side, or undefined. */
function debianPostgres() {
  const folder = '/usr/lib/postgresql';
  const programs = existsSync(folder) ? readdirSync(folder).map((version) => join(folder, version, 'bin', 'postgres')) : [];
  return programs.filter(existsSync).sort().at(-1);
}

/** The same, for what cannot do without. */
export function required(variable) {
  const found = find(variable);
  if (found) return found;
  const { names, debian, crate } = PROGRAMS[variable];
  const where = debian ? `Debian: ${debian}` : `cargo install ${crate}`;
  throw new Problem(`${names[0]} is needed: install it (${where}), or set ${variable} to where it is.`);
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
