// Tools with a lock file of their own, which are not among this repository's npm packages: they are
// many, or need another version of something that is.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { root, run, step } from './shell.mjs';

const cache = join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'pkg-tests');

/** The folder in whose `node_modules` is what the lock file in `source` names: installed once, until that changes. */
export async function toolbox(source) {
  const lock = readFileSync(join(source, 'package-lock.json'));
  const folder = join(cache, `${basename(source)}-${createHash('sha256').update(lock).digest('hex').slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  await mkdir(cache, { recursive: true });
  const fresh = await mkdtemp(join(cache, 'making-'));
  for (const name of ['package.json', 'package-lock.json']) await cp(join(source, name), join(fresh, name));
  await step(`installing the ${basename(source)} tools (once)`, () =>
    run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: fresh, quiet: true }),
  );
  await rename(fresh, folder);
  return folder;
}
