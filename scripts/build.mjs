// Builds the npm package into `pkg/`, and the demo page into `www/dist/`.

import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { program, root, run, step } from './shell.mjs';
import { setupForBuild } from './setup.mjs';

const generated = join(root, 'target', 'wasm-pack');
const packageFolder = join(root, 'pkg');
/** What of the root's package.json the published one carries. */
const PUBLISHED = [
  'name', 'version', 'description', 'keywords', 'license', 'repository',
  'type', 'sideEffects', 'main', 'types', 'exports', 'files', 'engines',
];

export async function buildPackage() {
  await step('compiling the client', () =>
    run('wasm-pack', [
      'build', root, '--release', '--target', 'web', '--mode', 'no-install', '--no-pack', '--no-typescript',
      '--out-dir', generated, '--out-name', 'glue',
    ], { quiet: true }),
  );
  const wasm = join(generated, 'rollcall.wasm');
  await step('shrinking the wasm', () =>
    run('wasm-opt', ['-O3', '--strip-debug', '--strip-producers', join(generated, 'glue_bg.wasm'), '-o', wasm], { quiet: true }),
  );

  await rm(packageFolder, { recursive: true, force: true });
  await mkdir(packageFolder, { recursive: true });
  await writeFile(join(packageFolder, 'rollcall.js'), await entry(await readFile(wasm)));
  await copyFile(join(root, 'src', 'browser', 'types.d.ts'), join(packageFolder, 'rollcall.d.ts'));
  for (const file of ['README.md', 'LICENSE-MIT', 'LICENSE-APACHE']) {
    await copyFile(join(root, file), join(packageFolder, file));
  }
  const source = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const manifest = Object.fromEntries(PUBLISHED.map((field) => [field, source[field]]));
  await writeFile(join(packageFolder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

/**
 * The one module that is published: the glue with the wasm inside it. A wasm file beside it
 * would need a plugin or a copying step in most bundlers; text needs nothing anywhere.
 */
async function entry(wasm) {
  const { outputFiles } = await build({
    stdin: {
      resolveDir: generated,
      contents: `
        import { initSync } from './glue.js';
        const text = atob(${JSON.stringify(wasm.toString('base64'))});
        initSync({ module: Uint8Array.from(text, (character) => character.charCodeAt(0)) });
        export { PresenceClient, Channel } from './glue.js';`,
    },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
  });
  return outputFiles[0].contents;
}

export async function buildDemo() {
  const script = join(root, 'www', 'build.mjs');
  if (!existsSync(script)) return;
  const demo = await import(script);
  await step('bundling the demo page', () => demo.buildDemo());
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  await program(async () => {
    await setupForBuild();
    await buildPackage();
    await buildDemo();
  });
}
