// Bundles the demo page into www/dist: one page, one stylesheet, one script and its worker.

import { copyFile, mkdir, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { Problem, program } from '../scripts/shell.mjs';

const www = dirname(fileURLToPath(import.meta.url));
const client = join(www, '..', 'pkg', 'rollcall.js');

/** Builds the page and returns the folder it is in, to be given to the server's `--www`. */
export async function buildDemo() {
  if (!existsSync(client)) {
    throw new Problem('The demo needs the built client, and pkg/rollcall.js is missing: run `npm run build` first.');
  }
  const dist = join(www, 'dist');
  await rm(dist, { recursive: true, force: true });
  await mkdir(dist);
  await Promise.all([
    build({
      entryPoints: ['main.ts', 'crowd-worker.ts', 'style.css'].map((file) => join(www, file)),
      outdir: dist,
      bundle: true,
      format: 'esm',
      target: 'es2022',
      minify: true,
      sourcemap: true,
      // The page imports the package by its name, as a web app would; here it is the one just built.
      alias: { rollcall: client },
      logLevel: 'warning',
    }),
    copyFile(join(www, 'index.html'), join(dist, 'index.html')),
  ]);
  return dist;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await program(buildDemo);
}
