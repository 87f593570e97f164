// The tables of `docs/PROTOCOL.md`.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/shell.mjs';

/** The rows of the table under a heading: the cells of each, without backticks. */
export function rowsOf(heading) {
  const document = readFileSync(join(root, 'docs', 'PROTOCOL.md'), 'utf8');
  const section = document.split(`\n## ${heading}\n`)[1].split('\n## ')[0];
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) => line.slice(1, -1).split('|').map((cell) => cell.trim().replaceAll('`', '')));
}
