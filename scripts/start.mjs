// `npm start`: sets up what is missing, builds, and serves the demo page and the API.
// What stands after `--` goes to the server: `npm start -- --listen 127.0.0.1:9000`.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buildAll, stopBundler } from './build.mjs';
import { setupForBuild } from './setup.mjs';
import { Problem, program, root, serverBinary } from './shell.mjs';

await program(async () => {
  await setupForBuild();
  await buildAll();

  const flags = ['--dev-tokens', '--www', join(root, 'www', 'dist'), ...process.argv.slice(2)];
  await stopBundler();

  // In a group of its own: Ctrl-C reaches a whole group, and npm passes it on as well, but to the
  // server a second one means to leave without goodbyes. It hears of the first, and of a patient second.
  const server = spawn(serverBinary, flags, { cwd: root, stdio: 'inherit', detached: true });
  let heard = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (Date.now() - heard < 1_000) return;
      heard = Date.now();
      // A closed terminal is no reason to leave without goodbyes.
      server.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
    });
  }
  await new Promise((resolve, reject) => {
    server.on('error', reject);
    server.on('close', (status) => {
      if (status === 0 || status === null) resolve();
      else reject(new Problem(`The server ended with exit code ${status}; what it said stands above.`));
    });
  });
});
