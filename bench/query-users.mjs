// What queryUsers of a hundred by their ids takes while many are stored: through the
// server, with its token, its limits and JSON, beside the same SQL run directly.

import { busy, measured } from './harness/crowd.mjs';

const DIRECT = 'the same SQL';

export async function results({ short }) {
  const [users, rounds] = short ? [20_000, 4] : [100_000, 8];
  const report = await measured('query-users', '--users', users, '--rounds', rounds);
  const { server, database } = report;
  const common = { unit: 'µs', ours: 'rollcall', steady: DIRECT, aims: [{ atMost: 1.5, of: DIRECT }] };
  return [
    {
      ...common,
      what: `processor time of the server for queryUsers of 100 by id, ${users.toLocaleString('en-US')} stored`,
      samples: { rollcall: server.cpu_us, [DIRECT]: database.cpu_us },
      note: busy(report),
    },
    {
      ...common,
      what: 'from the question to the answer',
      samples: { rollcall: server.latency_us, [DIRECT]: database.latency_us },
      note: busy(report),
    },
  ];
}
