// How the server grows from a hundred connections to fifteen thousand, each of which watches fifty
// users: 200 flips a second, one event a frame, and how long after each a watcher has read of it.

import { busy, measured } from './harness/crowd.mjs';
import { alternate, median } from './harness/measure.mjs';

const WATCHES = 50;
/** Connections at which it is told how long a flip takes. */
const TOLD_AT = 10_000;

const SIZES = [100, 1_000, 5_000, 10_000, 15_000];
const SIZES_OF_SHORT = [100, 1_000, 3_000];

export async function results({ short }) {
  const sizes = short ? SIZES_OF_SHORT : SIZES;
  const of = (connections) => () =>
    measured('growth', '--connections', connections, '--watches', WATCHES, '--one-event-a-frame', '--for', short ? '3s' : '6s');
  const runs = await alternate(Object.fromEntries(sizes.map((size) => [size, of(size)])), short ? 1 : 3);
  const events = (size) => runs[size].map(({ event_us: us }) => us);
  const [smallest, largest] = [sizes.at(0), sizes.at(-1)];
  const measuredFor = sizes.includes(TOLD_AT) ? TOLD_AT : largest;
  const delivery = (what) => runs[measuredFor].map(what);
  const count = (number) => number.toLocaleString('en-US');
  return [
    {
      what: `from a flip to a watcher, ${count(measuredFor)} connections, 200 flips a second: the slowest of 100`,
      unit: 'ms',
      ours: 'rollcall',
      steady: 'rollcall',
      samples: { rollcall: delivery(({ delivery }) => delivery.p99_ms) },
      aims: [{ atMost: 20 }],
      note: `the median ${median(delivery(({ delivery }) => delivery.p50_ms)).toFixed(1)} ms; ${busy(runs[measuredFor].at(-1))}`,
    },
    {
      what: `processor time of an event at ${count(largest)} connections, to that at ${count(smallest)}`,
      unit: '×',
      ours: 'rollcall',
      steady: 'rollcall',
      samples: { rollcall: events(largest).map((us, round) => us / events(smallest)[round]) },
      aims: [{ atMost: 1.3 }],
      plot: {
        file: 'event-cpu-by-connections',
        title: 'Processor time of an event, with its part of the flip, 50 watchers',
        x: 'connections',
        y: 'µs',
        series: { rollcall: sizes.map((size) => [size, median(events(size))]) },
      },
    },
  ];
}
