// A worker, dedicated or shared, that holds a client and runs what it is sent: `fn(client, arg)`
// as text, with the pages' answers to follow.

import { PresenceClient } from '/rollcall/rollcall.js';

let client;

function serve(port) {
  port.onmessage = async ({ data: { key, baseURL, fn, arg, number } }) => {
    client ??= new PresenceClient(key, { baseURL });
    try {
      port.postMessage({ number, value: await (0, eval)(`(${fn})`)(client, arg) });
    } catch (error) {
      port.postMessage({ number, problem: `${error.code}: ${error.message}` });
    }
  };
}

if ('onconnect' in globalThis) globalThis.onconnect = ({ ports: [port] }) => serve(port);
else serve(globalThis);
