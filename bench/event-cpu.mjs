// What the processor spends on an event that is told to one of a thousand watchers: by our server, by
// those of others, and by a program that does nothing but write to its sockets. Then a burst: of a
// hundred users at once, to clients that take several events in one frame.

import { busy, measured } from './crowd.mjs';
import { peerServers } from './harness/peers.mjs';

const BARE = 'bare write()';

const generator = (report) => `the load generator spends ${report.generator_event_us.toFixed(1)} µs an event; ${busy(report)}`;

export async function results({ short }) {
  const size = short ? ['--events', 50, '--rounds', 4] : ['--events', 100, '--rounds', 6];
  const single = await measured('fan-out', ...size, ...(await peerServers()));
  const burst = await measured('fan-out', '--at-once', 100, '--events', short ? 400 : 1_000, '--rounds', short ? 4 : 8);
  const common = { unit: 'µs', ours: 'rollcall', steady: BARE };
  return [
    {
      ...common,
      what: 'processor time of the server for an event, 1,000 watchers, one event a frame',
      samples: single.event_us,
      aims: [{ atMost: 1.2, of: BARE }],
      note: generator(single),
    },
    {
      ...common,
      what: 'the same in a burst of 100 events, with batches',
      samples: burst.event_us,
      aims: [{ atMost: 1 }],
      note: `${burst.events_a_frame.rollcall.toFixed(0)} events a frame; ${generator(burst)}`,
    },
  ];
}
