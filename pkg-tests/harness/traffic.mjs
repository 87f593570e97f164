// What the official SDK really sends, by the table of endpoints in `docs/PROTOCOL.md`.

import { subscribe } from 'node:diagnostics_channel';
import { rowsOf } from './protocol.mjs';

export class Traffic {
  #endpoints = table();
  /** The rows that were asked for, by name. */
  asked = new Set();
  /** Requests that are in no row, as `METHOD /path`. */
  unknown = new Set();

  /** Notes every request of this process from now on. */
  ofNode() {
    subscribe('http.client.request.start', ({ request }) => {
      this.#note(request.method, new URL(request.path, `http://${request.getHeader('host')}`));
    });
  }

  /** Notes every request of the page from now on, but for those to the site it is from. */
  ofPage(page) {
    const { origin } = new URL(page.url());
    const note = (method, url) => url.origin === origin || this.#note(method, url);
    page.on('request', (request) => note(request.method(), new URL(request.url())));
    page.on('websocket', (socket) => note('GET', new URL(socket.url())));
  }

  #note(method, { pathname }) {
    // A browser asks that by itself.
    if (method === 'OPTIONS') return;
    const request = `${method} ${pathname}`;
    const endpoint = this.#endpoints.find(({ pattern }) => pattern.test(request));
    if (endpoint) this.asked.add(endpoint.name);
    else this.unknown.add(request);
  }

  /** The rows that were never asked for, by name. */
  get silent() {
    return this.#endpoints.map(({ name }) => name).filter((name) => !this.asked.has(name));
  }
}

/** The rows, those that say most first: `POST /channels/{type}/query` is no channel of the id `query`. */
function table() {
  const rows = rowsOf('Endpoints').map(([name]) => {
    const words = name.split(/\{\w+\}/).map((word) => word.replace(/[.*+?^$()|[\]\\]/g, '\\$&'));
    return { name, pattern: new RegExp(`^${words.join('[^/]+')}$`), gaps: words.length };
  });
  return rows.sort((a, b) => a.gaps - b.gaps);
}
