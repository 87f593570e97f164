// On the server too, the package is imported, and this page rendered.
import { PresenceClient } from 'rollcall';
import { Jack } from './jack';

export const dynamic = 'force-dynamic';

export default function Page() {
  return <Jack server={typeof PresenceClient} />;
}
