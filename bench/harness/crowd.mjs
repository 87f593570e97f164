// Builds the server and the crowd for speed, runs one scenario, and keeps what it measured.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { Problem, program, root, run, say, step } from '../../scripts/shell.mjs';

const built = (name) => join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'release', name);

let building;

/** Builds both, and returns where they are. */
export const builtForSpeed = () => (building ??= build());

async function build() {
  // One by one, so that the server is built as it is delivered: cargo unites the features of what it builds together.
  for (const name of ['rollcall-server', 'rollcall-load']) {
    await step(`compiling ${name}`, () => run('cargo', ['build', '--release', '--package', name], { quiet: true }));
  }
  return { server: built('rollcall-server'), crowd: built('rollcall-load') };
}

/** What a scenario of `rollcall-load` reports, and whether everything held; each line that it says meanwhile is heard. */
export async function played(name, args, heard = say) {
  const binaries = await builtForSpeed();
  const crowd = spawn(binaries.crowd, [binaries.server, name, ...args.map(String)], { stdio: ['ignore', 'pipe', 'pipe'] });
  createInterface(crowd.stderr).on('line', heard);
  const [report, [status]] = await Promise.all([text(crowd.stdout), once(crowd, 'close')]);
  return { report, held: status === 0 };
}

/** The report of a scenario in which everything held. */
export async function measured(name, ...args) {
  const { report, held } = await played(name, args);
  if (!held) throw new Problem(`Not everything held under ${name}: ${report}`);
  return JSON.parse(report);
}

/** How much of the machine the crowd itself took, as a note to a result. */
export const busy = ({ generator_cpu: processors }) => `the load generator keeps ${processors.toFixed(2)} processors busy`;

/** Runs a scenario, prints and keeps its report; flags of the command line go to it. */
export const scenario = (name) => program(async () => {
  const { report, held } = await played(name, process.argv.slice(2));
  if (report) {
    const folder = join(root, 'bench', 'results');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${name}.json`), report);
    console.log(report.trim());
    say(`kept in bench/results/${name}.json`);
  }
  if (!held) throw new Problem(`Not everything held under ${name}.`);
});
