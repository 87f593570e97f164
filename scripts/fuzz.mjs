// `npm run fuzz`: what reaches the server from outside, led by coverage, each target for a minute.
// `npm run fuzz -- frame token --for 10m` runs these, each for so long. What is found is kept in
// `server/fuzz/artifacts`; what leads to new code is added to a corpus in `server/fuzz/target`.

import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cargoTool } from './setup.mjs';
import { Problem, program, root, run, say } from './shell.mjs';

const home = join(root, 'server', 'fuzz');
const SECONDS = { s: 1, m: 60, h: 3600 };

function seconds(text) {
  const [, number, unit] = text.match(/^(\d+)([smh])$/) ?? [];
  if (!unit) throw new Problem(`--for takes a time such as 60s, 10m or 1h, not ${text}.`);
  return Number(number) * SECONDS[unit];
}

/** Runs the target and returns how many times it did. */
async function fuzz(target, time) {
  const grown = join(home, 'target', 'corpus', target);
  mkdirSync(grown, { recursive: true });
  // No sanitizer: it needs a nightly compiler, and finds what safe Rust cannot do.
  const build = ['--fuzz-dir', home, '--sanitizer', 'none'];
  const limits = [`-max_total_time=${time}`, '-timeout=25', '-max_len=16384', '-print_final_stats=1'];
  const printed = await run(
    'cargo',
    ['fuzz', 'run', ...build, target, grown, join(home, 'corpus', target), '--', ...limits],
    { cwd: join(root, 'server'), quiet: true },
  );
  return Number(printed.match(/stat::number_of_executed_units:\s*(\d+)/)?.[1]);
}

await program(async () => {
  const { values, positionals } = parseArgs({ options: { for: { type: 'string', default: '60s' } }, allowPositionals: true });
  const all = readdirSync(join(home, 'corpus')).sort();
  const unknown = positionals.find((name) => !all.includes(name));
  if (unknown) throw new Problem(`There is no target ${unknown}, but ${all.join(', ')}.`);
  const time = seconds(values.for);
  await cargoTool('cargo-fuzz', ['--locked']);
  for (const target of positionals.length ? positionals : all) {
    say(`• ${target}, for ${values.for} …`);
    const executions = await fuzz(target, time);
    console.log(`${target}: ${executions.toLocaleString('en')} executions, no finding`);
  }
});
