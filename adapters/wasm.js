// `rollcall/wasm`, bundled with the generated glue: the wasm comes from where the app says.

import { Engine, PresenceClient as Client, setEngine } from './client.js';
import start from './glue.js';

setEngine(() => new Engine());

let ready = false;

export async function init(source) {
  if (source === undefined) throw problem('invalid_argument', 'init: say where rollcall.wasm is: its URL, a Response, its bytes or a WebAssembly.Module');
  await start({ module_or_path: source });
  ready = true;
}

// All else that the package has comes from a client.
export class PresenceClient extends Client {
  constructor(...args) {
    if (!ready) throw problem('not_initialized', "PresenceClient: await init(url) of 'rollcall/wasm' first");
    super(...args);
  }
}

export { Channel, PresenceWatch, UserPresence } from './client.js';

const problem = (code, message) => Object.assign(new Error(message), { name: 'PresenceError', code, retryable: false });
