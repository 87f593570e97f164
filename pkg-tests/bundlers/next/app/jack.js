'use client';

import { useEffect, useState } from 'react';
import { PresenceClient } from 'rollcall';
import { PresenceProvider, usePresence } from 'rollcall/react';

function Result() {
  const { online, freshness } = usePresence('jack');
  return <p id="result">jack is {freshness === 'live' ? (online ? 'online' : 'offline') : freshness}</p>;
}

export function Jack({ server }) {
  const [client, setClient] = useState(null);
  useEffect(() => {
    const { key, baseURL, token } = JSON.parse(decodeURIComponent(location.hash.slice(1)));
    const client = new PresenceClient(key, { baseURL });
    setClient(client);
    client.connectUser({ id: 'john' }, token).catch((error) => console.error(error));
    return () => void client.disconnectUser();
  }, []);
  return (
    <PresenceProvider client={client}>
      <Result />
      <p id="server">{server}</p>
    </PresenceProvider>
  );
}
