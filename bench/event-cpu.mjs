// What the processor spends on an event that is told to one of a thousand watchers: by our server, by
// those of others, and by a program that does nothing but write to its sockets. Then a burst: of a
// hundred users at once, to clients that take several events in one frame. Last, one event a frame
// again, what a whole flip takes by how many watch.

import { busy, measured } from './harness/crowd.mjs';
import { median } from './harness/measure.mjs';
import { peerServers } from './harness/peers.mjs';

const BARE = 'bare write()';

const WATCHERS = [10, 100, 1_000, 5_000];

const generator = (report) => `${busy(report)}, ${report.generator_event_us.toFixed(1)} µs an event`;

export async function results({ short }) {
  const size = short ? ['--events', 50, '--rounds', 4] : ['--events', 100, '--rounds', 6];
  const single = await measured('fan-out', ...size, ...(await peerServers()));
  const burst = await measured('fan-out', '--at-once', 100, '--events', short ? 400 : 1_000, '--rounds', short ? 4 : 8);
  const { flips, reports } = await flipsByWatchers(short ? ['--events', 20, '--rounds', 3] : ['--events', 50, '--rounds', 6]);
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
      what: 'the same in a burst of 100 events, made by one request, with batches',
      samples: burst.event_us,
      aims: [{ atMost: 1 }],
      note: `${burst.events_a_frame.rollcall.toFixed(0)} events a frame; ${generator(burst)}`,
    },
    {
      ...common,
      what: 'processor time of the server for one more watcher of a flip, from 100 to 5,000 watchers, one event a frame',
      samples: Object.fromEntries(Object.keys(flips).map((name) => [name, another(flips[name], 100, 5_000)])),
      aims: [{ atMost: 1.2, of: BARE }],
      note: `${ofFlips(flips.rollcall)}; ${busy(reports.at(-1))}`,
      plot: {
        file: 'flip-cpu-by-watchers',
        title: 'Processor time of the server for a flip, one event a frame',
        x: 'watchers',
        y: 'µs',
        series: Object.fromEntries(Object.entries(flips).map(([name, took]) => [name, line(took)])),
      },
    },
  ];
}

/** Microseconds of the processor for a whole flip, its request among it, of each round: by server, ours and `write()`, and by watchers; and the reports. */
async function flipsByWatchers(size) {
  const flips = { rollcall: {}, [BARE]: {} };
  const reports = [];
  for (const watchers of WATCHERS) {
    const report = await measured('fan-out', '--watchers', watchers, ...size);
    for (const [name, took] of Object.entries(flips)) took[watchers] = report.event_us[name].map((us) => us * watchers);
    reports.push(report);
  }
  return { flips, reports };
}

/** What one more watcher takes, of each round. */
const another = (took, from, to) => took[to].map((us, round) => (us - took[from][round]) / (to - from));

const line = (took) => WATCHERS.map((watchers) => [watchers, median(took[watchers])]);

function ofFlips(took) {
  const [few, many] = [another(took, 100, 1_000), another(took, 1_000, 5_000)].map((each) => median(each).toFixed(1));
  return `${few} µs up to 1,000, ${many} µs beyond; a flip with 10 takes ${median(took[10]).toFixed(0)} µs`;
}
