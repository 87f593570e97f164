// `npm run simulation`: what many users cost, by formulae and by a simulation, as the tables of
// docs/SCALING.md. `npm run simulation -- --keep` puts them there.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TABLES } from './simulation/tables.mjs';
import { program, root, run } from '../scripts/shell.mjs';

const PAGE = join(root, 'docs', 'SCALING.md');

/** The page with each table as it is reckoned now. */
export async function reckoned() {
  let page = await readFile(PAGE, 'utf8');
  for (const [name, table] of Object.entries(TABLES)) {
    const place = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`);
    if (!place.test(page)) throw new Error(`docs/SCALING.md has no place for the table ${name}`);
    page = page.replace(place, (_, begin, end) => `${begin}\n${table()}\n\n${end}`);
  }
  return page;
}

/** Keeps what was measured for the model, and reckons the page anew with it. */
export async function keep(name, value) {
  const file = join(root, 'bench', 'simulation', 'measured.json');
  const measured = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, `${JSON.stringify({ ...measured, [name]: value }, null, 2)}\n`);
  // The model has read the figures of before.
  await run('node', [join(root, 'bench', 'simulation.mjs'), '--keep'], { quiet: true });
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  await program(async () => {
    if (process.argv.includes('--keep')) return writeFile(PAGE, await reckoned());
    for (const [name, table] of Object.entries(TABLES)) console.log(`${name}\n\n${table()}\n`);
  });
}
