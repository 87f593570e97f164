// `npm run storm`: fifteen thousand connections that all end at once, and come back.
// Smaller: `npm run storm -- --connections 1000`.

import { scenario } from './harness/crowd.mjs';

await scenario('storm');
