// `npm start`: sets up what is missing, builds, and serves the demo page and the API.
// What stands after `--` goes to the server: `npm start -- --listen 127.0.0.1:9000`.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buildDemo, buildPackage } from './build.mjs';
import { setupForBuild } from './setup.mjs';
import { Problem, program, root, run, serverBinary, step } from './shell.mjs';

await program(async () => {
  await setupForBuild();
  await buildPackage();
  await buildDemo();
  await step('compiling the server', () => run('cargo', ['build', '--package', 'rollcall-server'], { quiet: true }));

  const flags = ['--dev-tokens', '--www', join(root, 'www', 'dist'), ...process.argv.slice(2)];
  const server = spawn(serverBinary, flags, { cwd: root, stdio: 'inherit' });
  // Ctrl-C reaches the server too, which says goodbye to everyone; we wait for it.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => server.kill(signal));
  await new Promise((resolve, reject) => {
    server.on('error', reject);
    server.on('close', (status) => {
      if (status === 0 || status === null) resolve();
      else reject(new Problem(`The server ended with exit code ${status}; what it said stands above.`));
    });
  });
});
