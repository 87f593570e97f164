// `npm run bench`: every benchmark beside its peers and limits, as tables on the screen, and as
// JSON and plots in bench/results/. `npm run bench -- WORD…` runs those whose names contain a word,
// `--short` takes fewer rounds and smaller crowds, `--keep` puts tables and plots of a whole run into
// docs/PERFORMANCE.md.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Problem, program, root, say, step } from '../scripts/shell.mjs';
import { buildPackage } from '../scripts/build.mjs';
import { setupForBuild } from '../scripts/setup.mjs';
import { bars, lines } from './harness/plot.mjs';
import { isNoisy, table } from './harness/report.mjs';

/** In the order of the tables; each is the name of a file here. */
const BENCHMARKS = {
  client: [
    'download', 'dispatch', 'changes-a-second', 'heap-per-watched-user', 'navigation-to-connected', 'watch-10000-users',
    'main-thread-at-100-flips',
  ],
  server: ['event-cpu', 'connect-cpu', 'memory', 'growth', 'query-users'],
};

const results = join(root, 'bench', 'results');
const kept = join(root, 'docs', 'performance');

async function runAll(words, options) {
  const tables = { client: [], server: [] };
  for (const [side, names] of Object.entries(BENCHMARKS)) {
    for (const name of names.filter((name) => !words.length || words.some((word) => name.includes(word)))) {
      const { results } = await import(`./${name}.mjs`);
      // One that fails is missing from the tables, and takes nothing else with it.
      const made = await step(name, () => results(options)).catch((error) => {
        process.exitCode = 1;
        say(`${name}: ${error.stack}`);
        return [];
      });
      tables[side].push(...made.map((result) => ({ name, ...result })));
    }
  }
  return tables;
}

/** Plots of these results, by the names of their files. */
function plots(all) {
  const made = {};
  const bySubject = all.filter(({ samples }) => Object.keys(samples).length > 1);
  bySubject.forEach((result) => {
    const others = bySubject.filter(({ name }) => name === result.name);
    const number = others.length > 1 ? `-${others.indexOf(result) + 1}` : '';
    made[`${result.name}${number}.svg`] = bars(result);
  });
  for (const { plot } of all) if (plot) made[`${plot.file}.svg`] = lines(plot);
  return made;
}

/** Puts the tables, and the plots under them, between their marks in the document. */
async function keep(tables, drawn) {
  const file = join(root, 'docs', 'PERFORMANCE.md');
  let text = await readFile(file, 'utf8');
  for (const [side, list] of Object.entries(tables)) {
    if (!list.length) continue;
    const between = new RegExp(`(<!-- ${side} -->\n)[^]*?(<!-- /${side} -->)`);
    if (!between.test(text)) throw new Error(`docs/PERFORMANCE.md has no place for the table of the ${side}`);
    const isOf = (file) => list.some(({ name, plot }) => file.replace(/(-\d)?\.svg$/, '') === name || file === `${plot?.file}.svg`);
    const files = Object.keys(drawn).filter(isOf);
    const plots = files.map((file) => `![${file.replace('.svg', '')}](performance/${file})`);
    text = text.replace(between, (_, begin, end) => [begin, table(list), '', ...plots, '', end].join('\n'));
  }
  await writeFile(file, text);
  await mkdir(kept, { recursive: true });
  for (const [name, svg] of Object.entries(drawn)) await writeFile(join(kept, name), svg);
}

await program(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { short: { type: 'boolean', default: false }, keep: { type: 'boolean', default: false } },
  });
  if (values.keep && (values.short || positionals.length)) throw new Problem('--keep is for whole runs: without --short, and without words');
  await setupForBuild();
  await buildPackage();
  const [load] = loadavg();
  const tables = await runAll(positionals, { short: values.short });
  const all = Object.values(tables).flat();
  if (!all.length) throw new Error('no benchmark has such a name');

  const drawn = plots(all);
  await mkdir(results, { recursive: true });
  const machine = { processors: cpus().length, load };
  for (const { name } of all) {
    const report = { machine, short: values.short, results: all.filter((result) => result.name === name) };
    await writeFile(join(results, `${name}.json`), `${JSON.stringify(report, null, 2)}\n`);
  }
  for (const [name, svg] of Object.entries(drawn)) await writeFile(join(results, name), svg);
  for (const [side, list] of Object.entries(tables)) {
    if (list.length) console.log(`\nThe ${side}\n\n${table(list)}`);
  }
  const noisy = all.filter(isNoisy);
  if (noisy.length) say(`\nToo noisy to judge, run again when nothing else runs: ${noisy.map(({ what }) => what).join(', ')}`);
  if (values.keep) await keep(tables, drawn);
  say('\nkept in bench/results/');
  process.exit(process.exitCode ?? 0);
});
