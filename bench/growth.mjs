// How the server grows from a hundred connections to fifteen thousand, each of which watches fifty
// users: 200 flips a second, and how long after each the last of its watchers has read of it.

import { busy, measured } from './harness/crowd.mjs';

const WATCHES = 50;

const SIZES = [100, 1_000, 5_000, 10_000, 15_000];
const SIZES_OF_SHORT = [100, 1_000, 3_000];

export async function results({ short }) {
  const steps = [];
  for (const connections of short ? SIZES_OF_SHORT : SIZES) {
    const size = ['--connections', connections, '--watches', Math.min(WATCHES, connections - 1)];
    steps.push(await measured('growth', ...size, '--for', short ? '3s' : '6s'));
  }
  const [smallest, largest] = [steps.at(0), steps.at(-1)];
  const measuredFor = steps.find(({ connections }) => connections === 10_000) ?? largest;
  const line = (what) => steps.map((step) => [step.connections, what(step)]);
  const count = (number) => number.toLocaleString('en-US');
  return [
    {
      what: `from a flip to a watcher, ${count(measuredFor.connections)} connections, 200 flips a second: the slowest of 100`,
      unit: 'ms',
      ours: 'rollcall',
      samples: { rollcall: [measuredFor.delivery.p99_ms] },
      aims: [{ atMost: 20 }],
      note: `the median ${measuredFor.delivery.p50_ms.toFixed(1)} ms; ${busy(measuredFor)}`,
    },
    {
      what: `processor time of an event at ${count(largest.connections)} connections, to that at ${count(smallest.connections)}`,
      unit: '×',
      ours: 'rollcall',
      samples: { rollcall: [largest.event_us / smallest.event_us] },
      aims: [{ atMost: 1.3 }],
      plot: {
        file: 'event-cpu-by-connections',
        title: 'Processor time of an event, with its part of the flip, 50 watchers',
        x: 'connections',
        y: 'µs',
        series: { rollcall: line(({ event_us }) => event_us) },
      },
    },
  ];
}
