// Simulated people, each a user of their own on a connection of their own, who take turns.

import { API_KEY } from './rest';
import { AT_ONCE, type Simulated } from './simulated';

export interface Ticket extends Simulated {
  token: string;
}

/** What the page asks. */
export type Order = { people: Ticket[] } | 'leave';
/** What the page is told: who has connected for the first time, or why somebody could not. */
export type Report = { came: string[] } | { refused: string };

/** How many may be on their way in at a time: from sixteen on, Chrome holds all of them back for seconds. */
const ARRIVING = 12;
/** Until everybody was here once, they stay only so many milliseconds; */
const FIRST_STAY = 1_500;
/** from then on, from so many to so many. */
const STAY = { least: 6_000, most: 20_000 };
/** After a failure, until the next one tries. */
const PAUSE = 1_000;
/** Arrivals are told together. */
const GATHER = 400;

let waiting: Ticket[] = [];
/** How many are in the crowd; none while they have been sent home. */
let size = 0;
let arriving = 0;
let came: string[] = [];
const sockets = new Set<WebSocket>();
const seen = new Set<string>();

const report = (what: Report) => postMessage(what);

addEventListener('message', ({ data }: MessageEvent<Order>) => {
  waiting = data === 'leave' ? [] : data.people;
  size = waiting.length;
  for (const socket of sockets) socket.close(1000);
  letIn();
});

function letIn(): void {
  while (sockets.size < AT_ONCE && arriving < ARRIVING) {
    const next = waiting.shift();
    if (!next) return;
    connect(next);
  }
}

function connect(person: Ticket): void {
  const socket = new WebSocket(addressOf(person));
  sockets.add(socket);
  let isArriving = true;
  arriving += 1;
  const settle = () => {
    if (isArriving) arriving -= 1;
    isArriving = false;
  };
  let stay: ReturnType<typeof setTimeout> | undefined;
  const first = ({ data }: MessageEvent<string>) => {
    settle();
    const { error } = JSON.parse(data) as { error?: { message: string } };
    if (error) return report({ refused: error.message });
    tell(person.id);
    // A goodbye, so that others see them go at once.
    stay = setTimeout(() => socket.close(1000), howLong());
    letIn();
  };
  socket.addEventListener('message', first, { once: true });
  socket.addEventListener('close', () => {
    const failed = isArriving;
    settle();
    clearTimeout(stay);
    sockets.delete(socket);
    if (size === 0) return;
    if (failed) report({ refused: 'the browser opens no more sockets, or the server is away' });
    waiting.push(person);
    setTimeout(letIn, failed ? PAUSE : 0);
  });
}

/** How long somebody stays: not for long until everybody was here once. */
function howLong(): number {
  return seen.size < size ? FIRST_STAY : STAY.least + Math.random() * (STAY.most - STAY.least);
}

function addressOf({ id, name, token }: Ticket): URL {
  const address = new URL('/connect', location.origin.replace('http', 'ws'));
  address.search = String(
    new URLSearchParams({
      api_key: API_KEY,
      authorization: token,
      'stream-auth-type': 'jwt',
      json: JSON.stringify({ user_id: id, user_details: { id, name, simulated: true } }),
      'X-Stream-Client': 'rollcall-demo-crowd',
    }),
  );
  return address;
}

function tell(id: string): void {
  if (seen.has(id)) return;
  seen.add(id);
  came.push(id);
  if (came.length > 1) return;
  setTimeout(() => {
    report({ came });
    came = [];
  }, GATHER);
}
