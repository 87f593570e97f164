// Builds the npm package into `pkg/`, and the demo page into `www/dist/`.

import { copyFile, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { terse, withoutExtras, withShortNames } from './glue.mjs';
import { program, root, run, step } from './shell.mjs';
import { setupForBuild } from './setup.mjs';

const generated = join(root, 'target', 'wasm-pack');
const packageFolder = join(root, 'pkg');
/**
 * Rust's standard library as it comes was compiled to be fast and to tell where it panicked. The
 * client must not panic at all, so its release compiles that library again, to be small and to
 * stop where it would panic: a tenth less to download, for half a minute once. The flags are not
 * stable yet, but the compiler that takes them is pinned.
 */
const SMALL_STD = ['-Z', 'build-std=std,panic_abort', '-Z', 'build-std-features=optimize_for_size'];
const SMALL_CODE = [
  '-Zunstable-options', '-Cpanic=immediate-abort', '-Zlocation-detail=none', '-Zfmt-debug=none',
  // Each import that takes or returns a JavaScript value would have a second function around it.
  '-Ctarget-feature=-reference-types',
  // For size Rust inlines next to nothing, though a call is often longer than what it calls.
  '-Zinline-mir=yes', '-Cllvm-args=-inline-threshold=15',
  // References to small values become the values, which at this level LLVM leaves undone.
  '-Cpasses=cgscc(argpromotion),function(sroa,instcombine<no-verify-fixpoint>,simplifycfg)',
];
/** Each was measured by the size after brotli, not by the size itself. */
const SHRINK = [
  // Taken apart and put together again, code is more alike.
  '-Oz', '--flatten', '--rereloop', '-Oz', '-Oz',
  '--low-memory-unused',
  // A value that is computed again the same way is compressed to less than a local that keeps it.
  '--skip-pass=local-cse',
  // Functions made from one generic stand together, where compression finds what they share.
  '--reorder-functions-by-name',
  // Inlined copies of a function differ just enough to be compressed badly.
  '--one-caller-inline-max-function-size', '1',
  '--always-inline-max-function-size', '6',
  '--strip-debug', '--strip-producers', '--strip-target-features',
  '--minify-imports-and-exports-and-modules',
];
/**
 * Turns the bytes that wasm is full of, such as 0 to 4, into characters that need no escape and
 * take one byte of UTF-8. Of all 256 masks this one makes about the smallest download.
 */
const MASK = 118;
/** What of the root's package.json the published one carries. */
const PUBLISHED = [
  'name', 'version', 'description', 'keywords', 'license', 'repository',
  'type', 'sideEffects', 'main', 'types', 'exports', 'files', 'peerDependencies', 'peerDependenciesMeta',
];
/** The package needs a WebSocket, which Node has since 22; to build it an older one will do. */
const ENGINES = { node: '>=22' };

export async function buildPackage() {
  await compileClient();
  await rm(packageFolder, { recursive: true, force: true });
  await mkdir(join(packageFolder, 'wasm'), { recursive: true });
  await copyFile(join(generated, 'rollcall.js'), join(packageFolder, 'rollcall.js'));
  for (const file of ['wasm.js', 'rollcall.wasm']) {
    await copyFile(join(generated, file), join(packageFolder, 'wasm', file));
  }
  await cp(join(root, 'types'), join(packageFolder, 'types'), { recursive: true });
  await copyFile(join(root, 'adapters', 'wasm.d.ts'), join(packageFolder, 'wasm', 'wasm.d.ts'));
  await buildAdapters();
  for (const file of ['README.md', 'LICENSE-MIT', 'LICENSE-APACHE']) {
    await copyFile(join(root, file), join(packageFolder, file));
  }
  const source = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const manifest = Object.fromEntries(PUBLISHED.map((field) => [field, source[field]]));
  manifest.engines = ENGINES;
  await writeFile(join(packageFolder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** The further entries. */
async function buildAdapters() {
  const compiled = join(root, 'target', 'adapters');
  await rm(compiled, { recursive: true, force: true });
  await step('compiling the adapters', () => run('tsc', ['--project', join(root, 'adapters'), '--outDir', compiled], { quiet: true }));
  const [from, to] = [join(compiled, 'adapters'), join(packageFolder, 'adapters')];
  await mkdir(to);
  // One file each and nothing bundled: whoever imports two of them has what they share once.
  for (const name of ['roster', 'react', 'vue', 'svelte', 'elements']) {
    for (const file of [`${name}.js`, `${name}.d.ts`]) await copyFile(join(from, file), join(to, file));
  }
  await copyFile(join(root, 'adapters', 'react-server.js'), join(to, 'react-server.js'));
  // But for this one, which has the client's own code inside, and which nobody downloads.
  await copyFile(join(from, 'testing.d.ts'), join(to, 'testing.d.ts'));
  const { build } = await import('esbuild');
  await build({ entryPoints: [join(from, 'testing.js')], outfile: join(to, 'testing.js'), bundle: true, format: 'esm', target: 'es2022' });
}

/** The client itself, into `target/`; the same is not made twice. */
async function compileClient() {
  const inputs = await fingerprint();
  const stamp = join(generated, '.made-from');
  if (existsSync(join(generated, 'rollcall.js')) && existsSync(stamp) && readFileSync(stamp, 'utf8') === inputs) return;
  await rm(join(generated, 'snippets'), { recursive: true, force: true });
  await step('compiling the client', () =>
    run('wasm-pack', [
      'build', root, '--profile', 'client', '--no-opt', '--target', 'web', '--mode', 'no-install', '--no-pack',
      '--out-dir', generated, '--out-name', 'glue', '--', '--features', 'package', ...SMALL_STD,
    ], { quiet: true, env: { CARGO_ENCODED_RUSTFLAGS: SMALL_CODE.join('\x1f'), RUSTC_BOOTSTRAP: '1' } }),
  );
  const glue = join(generated, 'glue.js');
  const compiled = join(generated, 'glue_bg.wasm');
  const wasm = join(generated, 'rollcall.wasm');
  await writeFile(compiled, withoutDropChecks(await readFile(compiled)));
  const names = await step('shrinking the wasm', () => run('wasm-opt', [compiled, '-o', wasm, ...SHRINK], { quiet: true }));
  await writeFile(glue, terse(withShortNames(withoutExtras(await readFile(glue, 'utf8')), JSON.parse(names))));

  await writeFile(join(generated, 'client.js'), classes());
  await writeFile(join(generated, 'rollcall.js'), await entry(await readFile(wasm)));
  await writeFile(join(generated, 'wasm.js'), await bundled(await readFile(join(root, 'adapters', 'wasm.js'), 'utf8')));
  await writeFile(stamp, inputs);
}

/** All that the client is made from, as one hash. */
async function fingerprint() {
  const folders = ['src', join('protocol', 'src')].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true }).map((file) => join(folder, file)),
  );
  const files = [
    ...folders.filter((file) => statSync(join(root, file)).isFile()).sort(),
    'Cargo.toml', 'Cargo.lock', 'rust-toolchain.toml', 'package-lock.json', join('scripts', 'build.mjs'), join('scripts', 'glue.mjs'), join('adapters', 'wasm.js'),
  ];
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file}\0`).update(await readFile(join(root, file))).update('\0');
  return hash.digest('hex');
}

/**
 * At each of the hundreds of places where a JavaScript value is dropped, wasm-bindgen has it asked
 * whether it is one of the constants, which are not dropped. The glue asks that again, so once is
 * enough. Where this finds nothing, after a change of wasm-bindgen, the wasm is but larger.
 */
function withoutDropChecks(wasm) {
  // `i32.const 1028; i32.lt_u` becomes `drop; i32.const 0; nop`, before a `br_if` that skips a
  // `local.get` and the call of the first import, which drops.
  const checks = /\x41\x84\x08\x49(?=\x0d[^]\x20[^]{1,2}\x10\0)/g;
  return Buffer.from(wasm.toString('latin1').replace(checks, '\x1a\x41\0\x01'), 'latin1');
}

/** What an app imports, and the engine beneath it. */
function classes() {
  // Where the glue imports it from: another copy would be another module.
  const page = `./snippets/${readdirSync(join(generated, 'snippets'))[0]}/src/page`;
  return `
    export { Engine } from './glue.js';
    export { setEngine } from '${page}/engine.js';
    export { PresenceClient } from '${page}/client.js';
    export { Channel } from '${page}/channel.js';
    export { PresenceWatch } from '${page}/watch.js';
    export { UserPresence } from '${page}/user.js';`;
}

/**
 * The module that needs nothing else: the glue with the wasm inside it. A wasm file beside it
 * would need a plugin or a copying step in most bundlers; text needs nothing anywhere.
 */
async function entry(wasm) {
  const text = await bundled(`
    import { initSync } from './glue.js';
    import { Engine, setEngine } from './client.js';
    let text = "WASM";
    // Compiled when it is first needed, and not before the first socket is being opened.
    setEngine(() => {
      if (text) {
        const bytes = new Uint8Array(text.length);
        // Uint8Array.from takes three times as long, as much as the compiling.
        for (let at = text.length; at--; ) bytes[at] = text.charCodeAt(at) ^ ${MASK};
        initSync(bytes);
        text = '';
      }
      return new Engine();
    });
    export { PresenceClient, Channel, PresenceWatch, UserPresence } from './client.js';`);
  // On a line of its own: where an error is uncaught, Node prints the line that made it.
  return text.replace('"WASM"', () => `\n${literal(wasm)}\n`);
}

/** A module that imports the glue, with the glue in it. */
async function bundled(contents) {
  // Set-up installs it, after this file was loaded.
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    stdin: { resolveDir: generated, contents },
    bundle: true,
    minify: true,
    // What a bundler joins again, and a terminal shows when an error is uncaught.
    lineLimit: 200,
    // What the two sides, and the files of one, know of each other and nobody else does. wasm-opt's
    // own short names are shorter.
    mangleProps: /^_[a-z]{2}/,
    write: false,
    format: 'esm',
    target: 'es2022',
  });
  return outputFiles[0].text;
}

/**
 * A string literal with one character a byte. Unlike base64 it leaves the bytes where they are,
 * so that compression on the way to the browser finds nearly all that it finds in the wasm.
 */
function literal(bytes) {
  const text = Buffer.from(bytes.map((byte) => byte ^ MASK))
    .toString('latin1')
    .replace(/[\\"\r\n]/g, (character) => ({ '\\': '\\\\', '"': '\\"', '\r': '\\r', '\n': '\\n' })[character])
    // `\0` before a digit would be another escape.
    .replace(/\0(?=\d)/g, '\\x00')
    .replace(/\0/g, '\\0');
  return `"${text}"`;
}

/** The package, the demo page, and the server as it is tried out. */
export async function buildAll() {
  await buildPackage();
  await buildDemo();
  await step('compiling the server', () => run('cargo', ['build', '--package', 'rollcall-server'], { quiet: true }));
}

export async function buildDemo() {
  const script = join(root, 'www', 'build.mjs');
  if (!existsSync(script)) return;
  const demo = await import(script);
  await step('bundling the demo page', () => demo.buildDemo());
}

/** Ends the process that esbuild leaves waiting for more. */
export async function stopBundler() {
  const { stop } = await import('esbuild');
  await stop();
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  await program(async () => {
    await setupForBuild();
    await buildPackage();
    await buildDemo();
  });
}
