// The npm package as a stranger gets it: packed, then installed into an empty project.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root, run } from '../../scripts/shell.mjs';

const built = join(root, 'pkg');
const cache = join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'pkg-tests');

let installing;

/** The empty project's folder; `node_modules/rollcall` in it is the package. */
export function project() {
  installing ??= install();
  return installing;
}

/** Where the installed package is. */
export const installed = async () => join(await project(), 'node_modules', 'rollcall');

// Every test file is a process of its own: they share what the first of them installed, found by
// the content that was packed.
async function install() {
  if (!existsSync(join(built, 'package.json'))) throw new Error('pkg/ is missing: run `npm run build`');
  const folder = join(cache, fingerprint());
  if (existsSync(folder)) return folder;

  await mkdir(cache, { recursive: true });
  const fresh = await mkdtemp(join(cache, 'making-'));
  await npm(['pack', built, '--pack-destination', fresh], fresh);
  const tarball = readdirSync(fresh).find((name) => name.endsWith('.tgz'));
  await writeFile(join(fresh, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }));
  await npm(['install', '--offline', '--no-audit', '--no-fund', `./${tarball}`], fresh);
  await rename(fresh, folder).catch(async (error) => {
    // Another test file was first; its copy is the same.
    await rm(fresh, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  });
  return folder;
}

const npm = (args, cwd) => run('npm', [...args, '--loglevel=error'], { cwd, quiet: true });

function fingerprint() {
  const hash = createHash('sha256');
  for (const entry of readdirSync(built, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath ?? entry.path, entry.name);
    hash.update(file).update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 16);
}
