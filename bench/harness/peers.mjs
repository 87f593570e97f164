// The clients and servers of others, in a project of their own: who builds or tests Rollcall does
// not install them.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianProgram } from '../../scripts/setup.mjs';
import { root, run, say, step, which } from '../../scripts/shell.mjs';

const folder = join(root, 'bench', 'peers');

/** The folder from which they can be imported; installed when the lock file has changed. */
export async function peers() {
  const wanted = createHash('sha256').update(readFileSync(join(folder, 'package-lock.json'))).digest('hex');
  const stamp = join(folder, 'node_modules', '.installed-from');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
    await step('installing the peers', () =>
      run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder, quiet: true }),
    );
    writeFileSync(stamp, wanted);
  }
  return folder;
}

/** The flags that tell `rollcall-load` where the servers of others are. */
export async function peerServers() {
  const flags = ['--socket-io', join(await peers(), 'socket-io.mjs')];
  if (!which('nats-server')) await debianProgram('nats-server');
  const nats = which('nats-server');
  if (!nats) say('  nats-server is not here (Debian: nats-server): it is left out');
  return nats ? [...flags, '--nats', nats] : flags;
}
