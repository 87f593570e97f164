import url from 'rollcall/rollcall.wasm?url';
import { init, PresenceClient } from 'rollcall/wasm';

const result = document.querySelector('#result');
const { key, baseURL, token } = JSON.parse(decodeURIComponent(location.hash.slice(1)));
await init(url);
const client = new PresenceClient(key, { baseURL });
await client.connectUser({ id: 'john' }, token);
const tell = ({ online, freshness }) => (result.textContent = `jack is ${freshness === 'live' ? (online ? 'online' : 'offline') : freshness}`);
client.user('jack').on('presence', tell);
