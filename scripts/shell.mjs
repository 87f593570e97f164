// Running other programs, and saying what is going on while they run.

import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** Where set-up installs what the machine lacks; git ignores it. */
export const tools = join(root, '.tools');

/** Where `cargo build` puts the server. */
export const serverBinary = join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'debug', 'rollcall-server');

process.env.PATH = [join(tools, 'bin'), join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter);

/** An error whose message is all that the user needs: printed without a stack. */
export class Problem extends Error {}

export const say = (text) => console.error(text);

const executable = (file) => {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
};

/** The first of `names` found on PATH, or null. */
export function which(...names) {
  for (const name of names) {
    for (const folder of process.env.PATH.split(delimiter)) {
      const file = join(folder, name);
      if (executable(file)) return file;
    }
  }
  return null;
}

/** What a short command prints, or null when it fails or does not exist. */
export function output(command, args) {
  const done = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  return done.status === 0 ? done.stdout.trim() : null;
}

/** Runs a command to its end; with `quiet`, shows what it printed only when it fails. */
export function run(command, args, { quiet = false, env = {}, cwd = root, capture = null } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', quiet || capture ? 'pipe' : process.stderr, quiet || capture ? 'pipe' : process.stderr],
    });
    let printed = '';
    const collect = (chunk) => {
      printed += chunk;
      if (!quiet) process.stderr.write(chunk);
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    child.on('error', reject);
    child.on('close', (status, signal) => {
      capture?.(printed);
      if (status === 0) return resolve(printed);
      if (quiet) process.stderr.write(printed);
      reject(new Problem(`\`${[command, ...args].join(' ')}\` failed (${signal ?? `exit ${status}`}).`));
    });
  });
}

/** Shows that `name` takes a while, and how long it took. */
export async function step(name, work) {
  const began = Date.now();
  const seconds = () => Math.round((Date.now() - began) / 1000);
  say(`• ${name} …`);
  const ticking = setInterval(() => say(`  ${name}: ${seconds()} s so far`), 15_000);
  try {
    return await work();
  } finally {
    clearInterval(ticking);
    if (seconds() > 2) say(`  ${name}: ${seconds()} s`);
  }
}

/** Runs `main` as a program: problems are one clear message and exit code 1. */
export async function program(main) {
  try {
    await main();
  } catch (error) {
    say(error instanceof Problem ? `\n✗ ${error.message}` : error);
    process.exitCode = 1;
  }
}
