// The tarball itself: what is in it, and whether its manifest says the truth about it.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { transform } from 'esbuild';
import { root, run } from '../scripts/shell.mjs';
import { bundlers } from './harness/bundling.mjs';
import { installed, project } from './harness/package.mjs';

let manifest;
let tarball;
/** A module that is installed beside the bundlers. */
let load;

before(async () => {
  manifest = JSON.parse(readFileSync(join(await installed(), 'package.json'), 'utf8'));
  const folder = await project();
  tarball = readFileSync(join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz'))));
  const { resolve } = createRequire(join(await bundlers(), 'package.json'));
  load = (name) => import(pathToFileURL(resolve(name)));
});

test('it holds what its manifest promises, and nothing else', async () => {
  const files = readdirSync(await installed(), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, path, name }) => join(parentPath ?? path, name));
  const names = files.map((file) => file.split('/node_modules/rollcall/')[1]).sort();
  const entries = Object.values(manifest.exports).flatMap((entry) => Object.values(entry.types ? entry : { entry }));
  const promised = entries.map((path) => path.replace('./', ''));
  const shared = ['adapters/roster.d.ts', 'adapters/roster.js'];
  const types = readdirSync(join(root, 'types')).map((name) => `types/${name}`);
  const texts = ['LICENSE-APACHE', 'LICENSE-MIT', 'README.md'];
  assert.deepEqual(names, [...new Set([...promised, ...shared, ...types, ...texts])].sort());
});

test('it says which Node has what it needs, and asks for nothing besides', () => {
  assert.deepEqual(manifest.engines, { node: '>=22' });
  assert.equal(manifest.dependencies, undefined);
  assert.ok(Object.keys(manifest.peerDependencies).every((name) => manifest.peerDependenciesMeta[name]?.optional));
});

test('it runs as it is in the oldest browsers that README names', async () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const named = /Firefox (\d+) and Safari (\d+) on\. A page in Chrome from (\d+) on/.exec(readme);
  const oldest = ['firefox', 'safari', 'chrome'].map((name, index) => name + named?.[index + 1]);
  const folder = await installed();
  const entries = Object.values(manifest.exports).map((entry) => entry.default);
  for (const file of [...entries, 'adapters/roster.js'].filter((file) => file && !file.endsWith('/testing.js'))) {
    const contents = readFileSync(join(folder, file), 'utf8');
    const [forThem, forAll] = await Promise.all([oldest, 'esnext'].map((target) => transform(contents, { target })));
    assert.ok(forThem.code === forAll.code, `${file} has syntax that not all of ${oldest} know`);
  }
  const features = ['mutable-globals', 'sign-ext', 'nontrapping-float-to-int', 'bulk-memory', 'multivalue'];
  const wasm = join(folder, 'wasm', 'rollcall.wasm');
  await run('wasm-opt', [wasm, '--mvp-features', ...features.map((name) => `--enable-${name}`), '-o', devNull], { quiet: true });
});

test('publint has nothing to say of it', async () => {
  const { publint } = await load('publint');
  const { messages } = await publint({ pack: { tarball: tarball.buffer.slice(tarball.byteOffset, tarball.byteOffset + tarball.length) }, strict: true });
  assert.deepEqual(messages, []);
});

test('its types are right however they are resolved', async () => {
  const { checkPackage, createPackageFromTarballData } = await load('@arethetypeswrong/core');
  const { types, problems } = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)), {
    excludeEntrypoints: ['./rollcall.wasm'],
  });
  assert.notEqual(types, false);
  // The package has but ES modules: `require` of it, and what knows no `exports`, is not served.
  const meant = ({ kind, resolutionKind }) =>
    (kind === 'CJSResolvesToESM' && resolutionKind === 'node16-cjs') || resolutionKind === 'node10';
  assert.deepEqual(problems.filter((problem) => !meant(problem)), []);
});
