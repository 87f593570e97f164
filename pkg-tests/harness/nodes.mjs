// The versions of Node that the package is for, whichever of them runs these tests.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/shell.mjs';
import { toolbox } from '../../scripts/toolbox.mjs';

/** The oldest that has a WebSocket, and the newest there is. npm has them as packages, by system. */
const RELEASES = [22, 26];

/** Of each, the program; null where npm has none for this system. */
export async function nodes() {
  const folder = await toolbox(join(root, 'pkg-tests', 'runtimes'));
  return RELEASES.map((release) => {
    const program = join(folder, 'node_modules', `node-${release}-${process.platform}-${process.arch}`, 'bin', 'node');
    return { release, program: existsSync(program) ? program : null };
  });
}
