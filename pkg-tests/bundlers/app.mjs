// The tiny app that every project is made of: it says of Jack what it sees. Copied beside each
// project's own files, as `app.js`.

import { PresenceClient } from 'rollcall';

export async function watchJack({ key, baseURL, token }, say) {
  const client = new PresenceClient(key, { baseURL });
  await client.connectUser({ id: 'john' }, token);
  const watch = await client.watchPresence(['jack']);
  const tell = ({ online, freshness }) => say(`jack is ${freshness === 'live' ? (online ? 'online' : 'offline') : freshness}`);
  watch.on('change', tell);
  tell(watch.get('jack'));
}
