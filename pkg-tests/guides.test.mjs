// Every code block of the README and the guides is run, and every link in them leads somewhere.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { root } from '../scripts/shell.mjs';
import { blocks } from './harness/markdown.mjs';
import { runBlock } from './harness/snippets.mjs';
import { newStage } from './harness/stage.mjs';

const guides = (await readdir(join(root, 'docs', 'guides')).catch(() => [])).map((name) => join('docs', 'guides', name));

for (const file of ['README.md', ...guides]) {
  const markdown = await readFile(join(root, file), 'utf8');
  describe(file, () => {
    for (const block of blocks(markdown)) {
      test(`line ${block.line}: ${block.language}`, async (t) => {
        const stage = await newStage(t, { grace: '0s', key: 'rollcall-demo', flags: ['--dev-tokens'] });
        await stage.admin.upsertUsers([{ id: 'jack', name: 'Jack' }, { id: 'joan', name: 'Joan' }, { id: 'jill', name: 'Jill' }]);
        await runBlock(t, stage, block);
      });
    }
    test('its links lead somewhere', () => {
      // What `npm run docs` makes is not there before.
      const links = [...markdown.matchAll(/\]\((?!https?:|#|docs\/api\/|\.\.\/api\/)([^)#]+)(?:#[^)]*)?\)/g)].map(([, link]) => link);
      assert.deepEqual(links.filter((link) => !existsSync(join(root, dirname(file), link))), []);
    });
  });
}

test('the guide on troubleshooting has every code there is, and no other', async () => {
  const read = (...path) => readFile(join(root, ...path), 'utf8');
  const rows = (markdown, heading) => {
    const section = markdown.split(`\n## ${heading}\n`)[1].split('\n## ')[0];
    return [...section.matchAll(/^\| `?([\w-]+)`? \|/gm)].map(([, code]) => code).filter((code) => code !== 'code');
  };
  const guide = await read('docs', 'guides', 'troubleshooting.md');
  assert.deepEqual(rows(guide, "By the server's codes"), rows(await read('docs', 'PROTOCOL.md'), 'Errors'));
  const union = (await read('types', 'error.d.ts')).match(/type PresenceErrorCode =([^;]*);/)[1];
  assert.deepEqual(rows(guide, "By the client's own codes"), [...union.matchAll(/'(\w+)'/g)].map(([, code]) => code));
});
