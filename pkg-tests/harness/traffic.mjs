// What the official SDK really sends, by the table of endpoints in `docs/PROTOCOL.md`.

import { subscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/shell.mjs';

export class Traffic {
  #endpoints = table();
  /** Endpoints that were asked for. */
  asked = new Set();
  /** Requests that are in no row, as `METHOD /path`. */
  unknown = new Set();

  /** Notes every request that this process makes of a server at this address from now on. */
  ofNode(isServer) {
    subscribe('http.client.request.start', ({ request }) => {
      const url = new URL(request.path, `http://${request.getHeader('host')}`);
      if (isServer(url.origin)) this.#note(request.method, url);
    });
  }

  /** Notes every request that the page makes of a server. */
  ofPage(page, isServer) {
    const note = (method, url) => {
      if (isServer(url.origin)) this.#note(method, url);
    };
    page.on('request', (request) => note(request.method(), new URL(request.url())));
    page.on('websocket', (socket) => note('GET', new URL(socket.url().replace(/^ws/, 'http'))));
  }

  #note(method, { pathname }) {
    const request = `${method} ${pathname}`;
    const endpoint = this.#endpoints.find(({ pattern }) => pattern.test(request));
    if (endpoint) this.asked.add(endpoint.name);
    else this.unknown.add(request);
  }

  /** The rows of the table that the server answers, by name. */
  get answered() {
    return this.#endpoints.filter(({ status }) => status !== 'left out').map(({ name }) => name);
  }
}

/** The rows, those that say most first: `POST /channels/{type}/query` is no channel of the id `query`. */
function table() {
  const document = readFileSync(join(root, 'docs', 'PROTOCOL.md'), 'utf8');
  const section = document.split('\n## Endpoints\n')[1].split('\n## ')[0];
  const rows = [...section.matchAll(/^\| `([A-Z]+ [^`]+)` \| ([^|]+) \|/gm)].map(([, name, status]) => {
    const words = name.split(/\{\w+\}/).map((word) => word.replace(/[.*+?^$()|[\]\\]/g, '\\$&'));
    return { name, status, pattern: new RegExp(`^${words.join('[^/]+')}$`), gaps: words.length };
  });
  return rows.sort((a, b) => a.gaps - b.gaps);
}
