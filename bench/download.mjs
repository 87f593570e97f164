// What a page downloads to know who is online: the bundle of each client, with brotli. Everything
// that the client needs is in it, the wasm too.

import { brotli, bundleOf } from '../pkg-tests/harness/download.mjs';
import { project } from '../pkg-tests/harness/package.mjs';
import { root } from '../scripts/shell.mjs';
import { peers } from './harness/peers.mjs';

/** What an app of each imports at least to show who is online. */
const IMPORTS = {
  'stream-chat': "export { StreamChat } from 'stream-chat'",
  ably: "export { BaseRealtime, FetchRequest, RealtimePresence, WebSocketTransport } from 'ably/modular'",
  'firebase database': `export { initializeApp } from '@firebase/app';
    export { getDatabase, onDisconnect, onValue, ref, serverTimestamp, set } from '@firebase/database'`,
  centrifuge: "export { Centrifuge } from 'centrifuge'",
  'pusher-js': "export { default } from 'pusher-js'",
  'socket.io-client': "export { io } from 'socket.io-client'",
  phoenix: "export { Presence, Socket } from 'phoenix'",
};

export async function results() {
  const size = async (contents, from) => [brotli(await bundleOf(contents, from)) / 1000];
  const samples = { rollcall: await size("export { PresenceClient } from 'rollcall'", await project()) };
  const installed = await peers();
  for (const [name, contents] of Object.entries(IMPORTS)) {
    samples[name] = await size(contents, name === 'stream-chat' ? root : installed);
  }
  return [{ what: 'download, brotli', unit: 'kB', ours: 'rollcall', samples, aims: [{ atMost: 30 }] }];
}
