// The declarations, as an editor reads them out of the installed package.

import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../scripts/shell.mjs';
import { project } from './harness/package.mjs';

const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

/** A folder of the project in which the package is installed, with the files of `types/`. */
async function folderFor(t) {
  const folder = await mkdtemp(join(await project(), 'types-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await cp(join(root, 'pkg-tests', 'types'), folder, { recursive: true });
  return folder;
}

function compile(folder, resolution, ...files) {
  const module = resolution === 'bundler' ? 'esnext' : 'nodenext';
  const settings = ['--strict', '--noEmit', '--target', 'es2022', '--lib', 'es2022,dom', '--types', ''];
  const { status, stdout } = spawnSync(
    process.execPath,
    [tsc, ...settings, '--module', module, '--moduleResolution', resolution, ...files],
    { cwd: folder, encoding: 'utf8' },
  );
  assert.equal(status, 0, stdout);
}

for (const resolution of ['bundler', 'nodenext']) {
  test(`right code compiles and wrong code does not, resolving as ${resolution}`, async (t) => {
    const folder = await folderFor(t);
    compile(folder, resolution, 'right.ts', 'wrong.ts');
    compile(folder, resolution, 'augmented.ts');
  });
}

test('filters and sorts take what the server takes, field by field and operator by operator', async (t) => {
  const table = await serverTable();
  const VALUES = { Text: "'a'", Bool: 'true', Integer: '1', Time: "'2026-01-01T00:00:00Z'", TextSet: "'a'" };
  const operand = (operator, kind) => {
    if (operator === '$exists') return 'true';
    return operator === '$in' || operator === '$nin' ? `[${VALUES[kind]}]` : VALUES[kind];
  };
  const lines = ["import { PresenceClient } from 'rollcall';", 'export function all(client: PresenceClient) {'];
  const say = (allowed, code) => lines.push(allowed ? code : `// @ts-expect-error\n${code}`);
  for (const [query, fields] of [['queryUsers', table.UserField], ['queryChannels', table.ChannelField]]) {
    for (const { name, kind, operators, sortable } of fields) {
      for (const operator of table.operators) {
        // What can be sorted by alone counts as a field of one's own when it is asked for.
        if (operators.length) say(operators.includes(operator), `client.${query}({ '${name}': { ${operator}: ${operand(operator, kind)} } });`);
      }
      if (operators.length) say(false, `client.${query}({ '${name}': ${kind === 'Bool' || kind === 'Integer' ? "'a'" : 1} });`);
      if (sortable) say(true, `client.${query}({}, { '${name}': 1 });`);
    }
  }
  assert.ok(lines.length > 400, `the server's table says but ${lines.length} things`);
  const folder = await folderFor(t);
  await writeFile(join(folder, 'operators.ts'), `${lines.join('\n')}\n}\n`);
  compile(folder, 'bundler', 'operators.ts');
});

/** What may be asked of which field, as the server has it. */
async function serverTable() {
  const source = await readFile(join(root, 'server', 'src', 'query', 'field.rs'), 'utf8');
  const written = Object.fromEntries([...source.matchAll(/\(Operator::(\w+), "(\$\w+)"\)/g)].map(([, name, text]) => [name, text]));
  const named = (list) => [...list.matchAll(/Operator::(\w+)/g)].map(([, name]) => written[name]);
  const range = named(source.match(/macro_rules! range \{[^]*?\};/)[0]);
  const sets = Object.fromEntries(
    [...source.matchAll(/^const (\w+): &\[Operator\] = (.*);$/gm)].map(([, name, list]) => {
      const more = list.match(/^range!\((.*)\)$/)?.[1];
      return [name, more === undefined ? named(list) : [...range, ...more.split(', ').filter(Boolean).map((name) => written[name])]];
    }),
  );
  const table = { operators: Object.values(written) };
  for (const [, resource, rows] of source.matchAll(/^fields! \{\n.*\n {4}(\w+),([^]*?)^\}/gm)) {
    table[resource] = [...rows.matchAll(/\w+ = "(.*)", (\w+), (\w+), (\w+);/g)].map(([, name, kind, set, sort]) => {
      assert.ok(sets[set], `no set of operators is called ${set}`);
      return { name, kind, operators: sets[set], sortable: sort === 'SORT' };
    });
  }
  return table;
}
