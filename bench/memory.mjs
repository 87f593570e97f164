// What a server's process holds while nothing happens, from a hundred connections to fifteen thousand,
// each of which watches fifty users: ours and those of others.

import { measured } from './harness/crowd.mjs';
import { peerServers } from './harness/peers.mjs';

const WATCHES = 50;
const SIZES = [100, 1_000, 5_000, 10_000, 15_000];
const SIZES_OF_SHORT = [100, 1_000, 3_000];

export async function results({ short }) {
  const sizes = short ? SIZES_OF_SHORT : SIZES;
  const { connection_kib: connection, memory_mib: memory } = await measured(
    'memory', '--connections', sizes, '--watches', WATCHES, ...(await peerServers()),
  );
  const [first, last] = [memory.rollcall[0], memory.rollcall.at(-1)].map(([, mib]) => mib.toFixed(0));
  return [
    {
      what: `memory of a connection that watches ${WATCHES} users, of ${sizes.at(-1).toLocaleString('en-US')}`,
      unit: 'KiB',
      ours: 'rollcall',
      samples: Object.fromEntries(Object.entries(connection).map(([name, kib]) => [name, [kib]])),
      aims: [{ atMost: 8 }],
      note: `${last} MiB in all, ${first} before the first`,
      plot: { file: 'memory-by-connections', title: 'Memory of the server', x: 'connections', y: 'MiB', series: memory },
    },
  ];
}
