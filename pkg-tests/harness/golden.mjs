// The frames and requests in `protocol/golden/`, which both sides read and write in their tests.

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/shell.mjs';

const folder = join(root, 'protocol', 'golden');
const read = (path) => JSON.parse(readFileSync(path, 'utf8'));

/** What the server writes, by the names of the files, without `.json`. */
export const golden = Object.fromEntries(
  readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => [name.slice(0, -'.json'.length), read(join(folder, name))]),
);

/** The entries of `golden` whose names begin with `prefix`, by what follows it. */
export const goldenOf = (prefix) =>
  Object.entries(golden)
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, content]) => [name.slice(prefix.length), content]);

/**
 * Fails unless the client writes what `client/<name>.json` holds.
 *
 * `GOLDEN=write node --test pkg-tests/golden.test.mjs` writes the files anew.
 */
export function isGolden(name, written) {
  const path = join(folder, 'client', `${name}.json`);
  if (process.env.GOLDEN === 'write') {
    mkdirSync(join(folder, 'client'), { recursive: true });
    writeFileSync(path, `${JSON.stringify(written, null, 2)}\n`);
  }
  assert.deepEqual(written, read(path), `${name} is not what the client writes`);
}
