// A program in Node that watches Jack until he has gone. Nothing ends it but that nothing is left to do.

import { PresenceClient } from 'rollcall';

const [key, baseURL, token] = process.argv.slice(2);
const say = (text) => console.log(text);

const client = new PresenceClient(key, { baseURL });
client.on('connection.recovered', () => say('recovered'));
client.on('connection.state', ({ connection }) => say(connection.state));
try {
  await client.connectUser({ id: 'john' }, token);
  const watch = await client.watchPresence(['jack']);
  say(`jack is ${watch.get('jack').online ? 'online' : 'offline'}`);
  for await (const { online, freshness } of watch) {
    if (freshness !== 'live') continue;
    say(`jack is ${online ? 'online' : 'offline'}`);
    if (!online) break;
  }
  await client.disconnectUser();
} catch (error) {
  say(`refused: ${error.code}`);
}
