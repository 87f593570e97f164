// What a browser has to download for an import: bundled and minified, then compressed.

import { brotliCompressSync, constants } from 'node:zlib';
import { build } from 'esbuild';

/** The bundle of an app whose code is `contents`, with its imports looked up from `resolveDir`. */
export async function bundleOf(contents, resolveDir) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    // As the package is written, and as Vite and webpack leave it; esbuild alone would escape it.
    charset: 'utf8',
    write: false,
    logLevel: 'error',
    define: { 'process.env': '{}', global: 'globalThis' },
  });
  return outputFiles[0].contents;
}

/** How many bytes are sent. */
export const brotli = (content) =>
  brotliCompressSync(content, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length },
  }).length;
