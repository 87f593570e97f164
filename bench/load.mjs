// `npm run load`: fifteen thousand connections that watch each other, five hundred flips a second.
// Smaller: `npm run load -- --connections 1000 --flips 50 --for 30s`.

import { scenario } from './harness/crowd.mjs';

await scenario('load');
