// The declarations, as an editor reads them out of the installed package.

import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../scripts/shell.mjs';
import { project } from './harness/package.mjs';

const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

for (const resolution of ['bundler', 'nodenext']) {
  test(`right code compiles and wrong code does not, resolving as ${resolution}`, async (t) => {
    const folder = await mkdtemp(join(await project(), 'types-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    await cp(join(root, 'pkg-tests', 'types'), folder, { recursive: true });

    const module = resolution === 'bundler' ? 'esnext' : 'nodenext';
    const settings = ['--strict', '--noEmit', '--target', 'es2022', '--lib', 'es2022,dom', '--types', ''];
    const { status, stdout } = spawnSync(
      process.execPath,
      [tsc, ...settings, '--module', module, '--moduleResolution', resolution, 'right.ts', 'wrong.ts'],
      { cwd: folder, encoding: 'utf8' },
    );
    assert.equal(status, 0, stdout);
  });
}
