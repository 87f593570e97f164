// A demo of rollcall: everybody who opens this page sees everybody else come and go.

import { Banner } from './banner';
import { explain } from './problem';

const banner = new Banner();
// Nothing fails in silence, not even a mistake of this page.
addEventListener('error', (event) => banner.show(explain(event.error ?? event.message)));
addEventListener('unhandledrejection', (event) => banner.show(explain(event.reason)));

// Only now, so that a browser which refuses WebAssembly is heard too.
const { open } = await import('./page');
open(banner);
