// A small web server of a test's own.

import { createServer } from 'node:http';
import { extname } from 'node:path';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm', '.css': 'text/css' };

/** What kind of content the name of a file stands for. */
export const typeOf = (name) => TYPES[extname(name)] ?? 'application/octet-stream';

/** Has `answer` answer requests, on a free port, until `close` is called. */
export async function serve(answer) {
  const server = createServer(answer);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${server.address().port}`,
    server,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
