// On the server too, the package is imported, and this page rendered.
import { PresenceClient } from 'rollcall';
import 'rollcall/elements';
import { PresenceProvider } from 'rollcall/react';
import { Jack } from './jack';

export const dynamic = 'force-dynamic';

export default function Page() {
  // A component of the server's may have the provider, though no client to give it.
  return (
    <PresenceProvider client={null}>
      <Jack server={typeof PresenceClient} />
    </PresenceProvider>
  );
}
