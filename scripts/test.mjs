// `npm test`: every check there is, and one line at the end with the total over all runners.
// `npm test -- wasm sdk` runs only the checks whose names contain one of the words.
// `npm test -- --one-event-a-frame` plays the stories of the package against servers that send no batches,
// as to a client that knows none; words go with it. `npm test` alone does so with a few of them.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newDisplay } from './browsers.mjs';
import { buildAll } from './build.mjs';
import { setupForTests } from './setup.mjs';
import { Problem, program, root, run, say } from './shell.mjs';

/** Chromium asks the outside world for nothing while it is tested. */
const CHROMIUM_FLAGS = [
  '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

/**
 * Ends a suite with its last test, where Node can: the official SDK leaves a timer of 15 seconds behind. And one
 * that hangs has failed; the longest builds everything anew in an empty clone.
 */
const [major, minor] = process.versions.node.split('.').map(Number);
const ENDS = major > 20 || minor >= 14 ? ['--test-force-exit', `--test-timeout=${20 * 60_000}`] : [];
const RUN_SUITE = ['--test', ...ENDS, '--test-reporter=tap'];

const totals = { passed: 0, failed: 0 };
const failures = [];

/** How many tests each runner says it ran; a command that counts nothing is one check. */
const COUNTS = {
  one: null,
  cargo: { passed: /^test result: .*?(\d+) passed/gm, failed: /^test result: .*?; (\d+) failed/gm },
  node: { passed: /^# pass (\d+)$/gm, failed: /^# (?:fail|cancelled) (\d+)$/gm },
};

const sum = (text, pattern) => [...text.matchAll(pattern)].reduce((total, [, count]) => total + Number(count), 0);

const ONE_EVENT_A_FRAME = { ROLLCALL_BATCH_WINDOW: 'off' };
const oneEventAFrame = process.argv.includes('--one-event-a-frame');

const wanted = process.argv.slice(2).filter((word) => word !== '--one-event-a-frame');
const isWanted = (name) => !wanted.length || wanted.some((word) => name.includes(word));

function record(name, began, passed, failed) {
  totals.passed += passed;
  totals.failed += failed;
  if (failed) failures.push(name);
  const seconds = Math.round((Date.now() - began) / 1000);
  say(`${failed ? '✗' : '✓'} ${name}: ${passed} passed, ${failed} failed (${seconds} s)`);
}

/** A command and what it counts; it has to print what `says` is. */
async function check(name, command, args, { counts = 'one', says = '', env = {} } = {}) {
  if (!isWanted(name)) return;
  const began = Date.now();
  say(`\n▶ ${name}`);
  let printed = '';
  const ok = await run(command, args, { env, capture: (text) => (printed = text) }).then(
    () => true,
    (error) => (say(error.message), false),
  );
  const patterns = COUNTS[counts];
  const passed = patterns ? sum(printed, patterns.passed) : Number(ok);
  // A runner that failed without counting anything has failed all the same, and so has one that ran nothing.
  const failed = Math.max(patterns ? sum(printed, patterns.failed) : 0, Number(!ok || passed === 0 || !printed.includes(says)));
  record(name, began, passed, failed);
}

/** Something that must work before the rest can be looked at. Whether it did. */
async function prepare(name, work) {
  const began = Date.now();
  say(`\n▶ ${name}`);
  const ok = await work().then(
    () => true,
    (error) => (say(error instanceof Problem ? error.message : error.stack), false),
  );
  record(name, began, Number(ok), Number(!ok));
  return ok;
}

function webdriverConfig(found) {
  // wasm-bindgen's test runner reads this from the folder of the crate.
  const config = {
    'goog:chromeOptions': { args: CHROMIUM_FLAGS, binary: found.CHROMIUM },
    'moz:firefoxOptions': { args: ['-headless'], binary: found.FIREFOX },
  };
  const file = join(root, 'webdriver.json');
  const text = `${JSON.stringify(config, null, 2)}\n`;
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
}

await program(async () => {
  const found = await setupForTests();
  webdriverConfig(found);
  Object.assign(process.env, found);

  const cargo = 'cargo';
  const wasm = ['--package', 'rollcall', '--target', 'wasm32-unknown-unknown'];
  await check('lint: formatting', cargo, ['fmt', '--all', '--check']);
  await check('lint: Rust', cargo, ['clippy', '--workspace', '--all-targets', '--quiet', '--', '-D', 'warnings']);
  await check('lint: Rust for the browser', cargo, ['clippy', ...wasm, '--all-targets', '--quiet', '--', '-D', 'warnings']);
  await check('docs: rustdoc', cargo, ['doc', '--workspace', '--no-deps', '--quiet'], { env: { RUSTDOCFLAGS: '-D warnings' } });
  await check('docs: rustdoc for the browser', cargo, ['doc', ...wasm, '--no-deps', '--quiet'], { env: { RUSTDOCFLAGS: '-D warnings' } });
  await check('native: client and server', cargo, ['test', '--workspace', '--quiet', '--no-fail-fast'], { counts: 'cargo' });

  const inBrowser = (browser, flags, runner, env = {}) =>
    check(`wasm: ${browser}`, 'wasm-pack', ['test', '--headless', '--mode', 'no-install', ...flags, root], {
      counts: 'cargo',
      says: `headless tests in ${runner}`,
      // The runner takes the first driver of which it knows, whatever it was asked for.
      env: { CHROMEDRIVER: undefined, GECKODRIVER: undefined, ...env },
    });
  await inBrowser('Chromium', ['--chrome', '--chromedriver', found.CHROMEDRIVER], 'Chrome');
  await inBrowser('Firefox', ['--firefox', '--geckodriver', found.GECKODRIVER], 'Firefox');
  const display = await newDisplay();
  // As far as the test runner is concerned, every WebKit is a Safari.
  await inBrowser('WebKit', ['--safari', '--safaridriver', found.WEBKITDRIVER], 'Safari', display.env);
  display.close();

  const built = await prepare('build: package, demo page, server', buildAll);
  if (built) {
    await check('types: what apps hold in their hands', 'tsc', ['--noEmit', '--project', join('src', 'page', 'tsconfig.json')]);
    await check('types: the demo page', 'tsc', ['--noEmit', '--project', join('www', 'tsconfig.json')]);
    if (!oneEventAFrame) {
      // Whoever knows no batches, a page or a server, is told the same.
      const single = ['watch', 'lifecycle', 'listener'].map((name) => join('pkg-tests', `${name}.test.mjs`));
      await check('package: one event a frame', process.execPath, [...RUN_SUITE, ...single], {
        counts: 'node',
        env: ONE_EVENT_A_FRAME,
      });
    }
    const suites = readdirSync(join(root, 'pkg-tests')).filter((name) => name.endsWith('.test.mjs')).sort();
    for (const suite of suites) {
      const name = `package: ${suite.replace('.test.mjs', '')}`;
      await check(name, process.execPath, [...RUN_SUITE, join('pkg-tests', suite)], {
        counts: 'node',
        env: oneEventAFrame ? ONE_EVENT_A_FRAME : {},
      });
    }
  }

  if (failures.length) say(`\nFailed: ${failures.join(', ')}`);
  console.log(`${totals.passed} passed, ${totals.failed} failed`);
  if (totals.failed || !totals.passed) process.exitCode = 1;
});
