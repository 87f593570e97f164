// A server that says what a benchmark wants said, at the pace that it wants: as fast as a socket
// takes it, or so many times a second. It answers as much else as makes a client feel at home.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { serve } from '../../pkg-tests/harness/web.mjs';
import { presenceEvents, userAfter } from './events.mjs';
import { peers } from './peers.mjs';

/** Bytes that may wait to be sent: enough to keep a socket busy. */
const AHEAD = 1 << 20;
/** Our server's window for clients that ask for no other, in milliseconds. */
const WINDOW = 5;

/** How a frame says several events. */
const joined = (texts) => (texts.length === 1 ? texts[0] : `[${texts}]`);

/** Says all of these to one socket, so many in a frame, as fast as it takes them. */
async function pour(socket, texts, inAFrame) {
  for (let first = 0; first < texts.length; first += inAFrame) {
    const sent = new Promise((resolve) => socket.send(joined(texts.slice(first, first + inAFrame)), resolve));
    if (socket.bufferedAmount > AHEAD) await sent;
  }
}

/**
 * Says so many of these a second, one after the other. Who takes batches gets the first at once, and
 * then, as from our server, what came within a window in one frame at its end.
 */
async function trickle(socket, texts, aSecond, window) {
  const began = performance.now();
  let free = began;
  for (let said = 0; said < texts.length; ) {
    const due = began + (said * 1000) / aSecond;
    await pause(Math.max(0, Math.max(due, free) - performance.now()));
    const now = performance.now();
    const until = Math.max(said + 1, Math.min(texts.length, Math.floor(((now - began) * aSecond) / 1000) + 1));
    if (window) socket.send(joined(texts.slice(said, until)));
    else for (const text of texts.slice(said, until)) socket.send(text);
    said = until;
    free = now + window;
  }
}

/** For how many milliseconds events wait for one another on a connection that asks for this; without batches for none. */
function windowOf({ searchParams }) {
  const [, batch, asked] = searchParams.get('rollcall')?.match(/(batch)(?::(\d+))?/) ?? [];
  return batch ? Number(asked ?? WINDOW) : 0;
}

/**
 * Does `work` with the address of such a server. Whoever connects is greeted; `GET /users` answers
 * whoever is asked for by id; and `POST /say` has these said to whoever connected last:
 * `{ users, events, inAFrame }`, or `{ users, events, aSecond }`.
 */
export async function withFlood(work) {
  const { WebSocketServer } = createRequire(join(await peers(), 'package.json'))('ws');
  const sockets = new WebSocketServer({ noServer: true });
  let latest;
  const ways = {
    '/users': ({ filter_conditions: { id } }) => ({ users: id.$in.map((id) => userAfter(id, 0)) }),
    '/say': async ({ users, events, inAFrame, aSecond }) => {
      const texts = presenceEvents(users, events);
      const said = aSecond ? trickle(latest.socket, texts, aSecond, latest.window) : pour(latest.socket, texts, inAFrame);
      // Whoever asked is answered before the first of them, and is not kept busy by the answer.
      said.catch(() => {});
      return {};
    },
  };
  const { url, server, close } = await serve(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://flood');
    const headers = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*', 'content-type': 'application/json' };
    if (request.method === 'OPTIONS') return response.writeHead(204, headers).end();
    let body = searchParams.get('payload') ?? '';
    if (request.method === 'POST') for await (const chunk of request) body += chunk;
    const answer = await ways[pathname]?.(JSON.parse(body || '{}'));
    response.writeHead(answer ? 200 : 404, headers).end(JSON.stringify(answer ?? {}));
  });
  server.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (opened) => {
      latest = { socket: opened, window: windowOf(new URL(request.url, 'http://flood')) };
      const me = { id: 'john', online: true };
      opened.send(JSON.stringify({ type: 'health.check', connection_id: 'flood', cid: '*', me, rollcall: ['batch'] }));
    });
  });
  try {
    return await work(url);
  } finally {
    sockets.close();
    close();
  }
}
