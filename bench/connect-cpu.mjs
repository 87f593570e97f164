// What the processor spends on a connection that is opened: with ours a token is checked, the first
// frame is sent, and the user is online from then on. The others check nothing.

import { busy, measured } from './harness/crowd.mjs';
import { ratio } from './harness/measure.mjs';
import { peerServers } from './harness/peers.mjs';

/** How ours is to NATS, which is told no names and checks nothing. */
const compared = ({ rollcall, NATS }) => (NATS ? `${ratio(rollcall, NATS).toFixed(2)}× NATS; ` : '');

export async function results({ short }) {
  const report = await measured(
    'connects', '--connections', short ? 300 : 500, '--rounds', short ? 4 : 8, ...(await peerServers()),
  );
  const { connect_us: samples, generator_connect_us: generator } = report;
  return [
    {
      what: 'processor time of the server for a connection that is opened',
      unit: 'µs',
      ours: 'rollcall',
      steady: 'NATS' in samples ? 'NATS' : 'socket.io',
      samples,
      aims: [{ atMost: 200 }],
      note: `${compared(samples)}${busy(report)}, ${generator.toFixed(0)} µs a connection`,
    },
  ];
}
