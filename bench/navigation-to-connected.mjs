// How long it takes from the navigation to a page, with nothing in any cache, until its user is
// connected to a server on the same machine: this client beside the official SDK.

import { alternate } from './harness/measure.mjs';
import { withChromium, withPage } from './harness/pages.mjs';
import { withServer } from './harness/server.mjs';

/** The page of an app that connects when it is opened: as short as its author could write it. */
const app = (sdk, { key, baseURL, token }) => `
  <script type="module">
    import { Client } from '/${sdk}.js';
    const client = new Client(${JSON.stringify(key)}, { baseURL: ${JSON.stringify(baseURL)} });
    await client.connectUser({ id: 'john' }, ${JSON.stringify(token('john'))});
    window.connected = performance.now();
  </script>`;

/** What no client can do without: a page, and a socket that says hello. */
const bare = ({ key, baseURL, token }) => {
  const query = new URLSearchParams({
    api_key: key,
    json: JSON.stringify({ user_id: 'john', user_details: { id: 'john' } }),
    authorization: token('john'),
    'stream-auth-type': 'jwt',
  });
  return `
  <script type="module">
    const socket = new WebSocket(${JSON.stringify(`${baseURL.replace('http', 'ws')}/connect?${query}`)});
    socket.onmessage = () => (window.connected ??= performance.now());
  </script>`;
};

/** What no page can do without: to be opened, and to run a script. */
const nothing = () => '<script type="module">window.connected = performance.now();</script>';

export async function results({ short }) {
  const samples = await withServer(0, (server) =>
    withChromium(
      (browser, origin) => {
        const of = (subject) => () =>
          withPage(browser, async (page) => {
            await page.goto(`${origin}/open/${subject}`);
            return (await page.waitForFunction('window.connected')).jsonValue();
          });
        const subjects = {
          rollcall: of('rollcall'),
          'bare WebSocket': of('bare'),
          'a page that does nothing': of('nothing'),
          'stream-chat': of('stream-chat'),
        };
        return alternate(subjects, short ? 7 : 25);
      },
      ({ pathname }) => {
        const subject = pathname.match(/^\/open\/(.+)$/)?.[1];
        if (!subject) return '';
        if (subject === 'nothing') return nothing();
        return subject === 'bare' ? bare(server) : app(subject, server);
      },
    ),
  );
  return [
    {
      what: 'navigation to connected, cold cache',
      unit: 'ms',
      ours: 'rollcall',
      steady: 'bare WebSocket',
      samples,
      aims: [{ atMost: 0.5, of: 'stream-chat' }],
    },
  ];
}
