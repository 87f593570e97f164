// Brings a fresh machine that has rustup and Node to the point where everything builds and is
// tested. What is there is not made again: a second run takes a moment.

import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { find, PROGRAMS, required } from './browsers.mjs';
import { output, Problem, program, root, run, say, step, tools, which } from './shell.mjs';

const NODE_MAJOR = 20;

/** The one pinned wasm-bindgen version, read from where Cargo reads it. */
export function wasmBindgenVersion() {
  const pinned = readFileSync(join(root, 'Cargo.toml'), 'utf8').match(/^wasm-bindgen = "=([\d.]+)"/m);
  if (!pinned) throw new Problem('Cargo.toml no longer pins wasm-bindgen as `wasm-bindgen = "=X.Y.Z"`.');
  return pinned[1];
}

/** What building needs: npm's packages, the wasm target, wasm-pack and wasm-bindgen. */
export async function setupForBuild() {
  checkNode();
  await npmPackages();
  await rustToolchain();
  await cargoTool('wasm-pack', ['--locked']);
  const version = wasmBindgenVersion();
  await cargoTool('wasm-bindgen', ['--version', version], { crate: 'wasm-bindgen-cli', version });
}

/**
 * What the tests need besides: three browsers, their drivers, a proxy, and two databases where they
 * can be had. Returns where they are, by variable.
 */
export async function setupForTests() {
  await setupForBuild();
  const found = {};
  for (const variable of Object.keys(PROGRAMS)) {
    const { optional, debian } = PROGRAMS[variable];
    if (!find(variable)) await install(variable).catch((error) => optional || Promise.reject(error));
    const program = optional ? find(variable) : required(variable);
    if (program) found[variable] = program;
    else say(`  ${variable} is not here (Debian: ${debian}): its stories are left out`);
  }
  return found;
}

/** What a cluster needs besides building: what stands before and behind its nodes. */
export async function setupForCluster() {
  await setupForBuild();
  for (const variable of ['NGINX_PROGRAM', 'REDIS_SERVER', 'POSTGRES']) {
    if (!find(variable)) await install(variable);
    process.env[variable] = required(variable);
  }
}

async function install(variable) {
  const { names, debian, crate, daemon, alias } = PROGRAMS[variable];
  if (crate) return cargoTool(crate, ['--locked']);
  if (daemon) return debianProgram(debian);
  if (variable === 'POSTGRES') return debianPostgres(debian);
  await debianPackage(debian);
  const program = alias && which(alias);
  if (!program) return;
  const link = join(tools, 'bin', names[0]);
  mkdirSync(join(tools, 'bin'), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(program, link);
}

function checkNode() {
  if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR) {
    throw new Problem(`Node ${NODE_MAJOR} or newer is needed; this is ${process.versions.node}.`);
  }
}

async function npmPackages() {
  const wanted = createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).digest('hex');
  const stamp = join(root, 'node_modules', '.installed-from');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  // Without a shell, Windows cannot start npm's .cmd; npm names its own script to those it runs.
  const npm = process.env.npm_execpath;
  await step('installing npm packages', () =>
    npm ? run(process.execPath, [npm, 'ci'], { quiet: true }) : run('npm', ['ci'], { quiet: true }),
  );
  writeFileSync(stamp, wanted);
}

async function rustToolchain() {
  if (!which('rustup') || !which('cargo')) {
    throw new Problem('Rust is needed: install rustup from https://rustup.rs, then run this again.');
  }
  const toolchain = readFileSync(join(root, 'rust-toolchain.toml'), 'utf8');
  const channel = toolchain.match(/channel = "([^"]+)"/)[1];
  const list = (line) => [...(toolchain.match(line)?.[1] ?? '').matchAll(/"([^"]+)"/g)].map((match) => match[1]);
  const targets = list(/^targets = \[(.*)\]/m);
  const components = list(/^components = \[(.*)\]/m);

  const toolchains = output('rustup', ['toolchain', 'list']) ?? '';
  if (!toolchains.split('\n').some((line) => line.startsWith(`${channel}-`))) {
    await step(`installing Rust ${channel}`, () =>
      run('rustup', ['toolchain', 'install', channel, '--profile', 'minimal'], { quiet: true }),
    );
  }
  const installed = (output('rustup', ['component', 'list', '--installed', '--toolchain', channel]) ?? '').split('\n');
  for (const component of components) {
    if (installed.some((line) => line.startsWith(component))) continue;
    await step(`installing ${component}`, () =>
      run('rustup', ['component', 'add', component, '--toolchain', channel], { quiet: true }),
    );
  }
  for (const target of targets) {
    if (installed.includes(`rust-std-${target}`)) continue;
    await step(`installing Rust's ${target} target`, () =>
      run('rustup', ['target', 'add', target, '--toolchain', channel], { quiet: true }),
    );
  }
}

export async function cargoTool(command, options, { crate = command, version = null } = {}) {
  const there = output(command, ['--version']);
  if (there !== null && (version === null || there.split(/\s+/).includes(version))) return;
  mkdirSync(tools, { recursive: true });
  await step(`building ${crate} (once, about two minutes)`, () =>
    // Its own target folder would land in the temporary directory and be thrown away after.
    run('cargo', ['install', crate, ...options, '--root', tools], { quiet: true }),
  );
}

/** What a command is run by where the system's packages are apt's and may be installed; elsewhere null. */
function byRoot() {
  if (!which('apt-get')) return null;
  if (process.getuid?.() === 0) return [];
  return output('sudo', ['-n', 'true']) === null ? null : ['sudo', '-n'];
}

/** Installs a package where the system's package manager may be used, and elsewhere does nothing. */
async function debianPackage(name) {
  const by = byRoot();
  if (!by) return;
  const apt = (...words) => {
    const [command, ...args] = [...by, 'apt-get', ...words];
    return run(command, args, { quiet: true, env: { DEBIAN_FRONTEND: 'noninteractive' } });
  };
  await step(`installing ${name}`, async () => {
    const install = ['install', '-y', '--no-install-recommends', name];
    // Package lists may be old or missing; refreshing them is the cure, and not needed otherwise.
    await apt(...install).catch(async () => {
      await apt('update');
      await apt(...install);
    });
  });
}

/** Installs Postgres without the database of the system's own that its package would create and serve. */
async function debianPostgres(name) {
  await debianPackage('postgresql-common');
  const by = byRoot();
  if (!by) return;
  const configure = (...words) => {
    const [command, ...args] = [...by, 'pg_conftool', '/etc/postgresql-common/createcluster.conf', ...words];
    return run(command, args, { quiet: true });
  };
  await configure('set', 'create_main_cluster', 'off');
  await debianPackage(name).finally(() => configure('remove', 'create_main_cluster'));
}

/** Takes the program of a package, and leaves the system as it is. */
export async function debianProgram(name) {
  if (!which('apt-get') || !which('dpkg-deb')) return;
  await step(`unpacking ${name}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rollcall-setup-'));
    try {
      await run('apt-get', ['download', name], { quiet: true, cwd: folder });
      const [file] = readdirSync(folder);
      await run('dpkg-deb', ['-x', join(folder, file), folder], { quiet: true });
      mkdirSync(join(tools, 'bin'), { recursive: true });
      copyFileSync(join(folder, 'usr', 'sbin', name), join(tools, 'bin', name));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }).catch(() => {});
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  await program(async () => {
    await (process.argv.includes('--tests') ? setupForTests() : setupForBuild());
  });
}
