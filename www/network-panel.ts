import type { Connection, Freshness } from 'rollcall';
import { copyOf, find, setText } from './dom';
import { DELAY, type Network, type Weather } from './network';
import type { Room } from './room';
import { soon } from './soon';
import { stamp, toTheSecond } from './time';

const SECOND = 1000;
/** How many lines of what happened are kept. */
const KEPT = 30;

const WEATHER: Record<Weather, string> = {
  fair: 'Nothing stands between this page and the server.',
  slow: `Every frame and request takes ${DELAY / SECOND} s longer, each way. What you see is live, and that much later.`,
  frozen:
    'Nothing gets through, and nobody is told. The client doubts after 30 s of silence, or when you come back from another tab; 5 s later it tries anew. Others go on seeing you: your browser answers the server’s pings.',
  cut: 'The connection was closed, and each new one is. What was known is shown as of then.',
};

const DEEDS: Record<Weather, string> = {
  fair: 'You mended the network',
  slow: 'You slowed the network down',
  frozen: 'You froze the network',
  cut: 'You cut the network',
};

const STATES: Record<Connection['state'], string> = {
  disconnected: 'Not connected',
  connecting: 'Connecting',
  connected: 'Connected',
  waiting: 'Lost',
};

/** What the network is like, in the hands of whoever looks; and what becomes of all that is shown. */
export class NetworkPanel {
  readonly #panel = find('#network');
  readonly #history = find('.happened', this.#panel);
  #freshness: Freshness = 'unknown';
  #since = performance.now();

  constructor(
    readonly room: Room,
    readonly network: Network,
  ) {
    for (const button of this.#buttons) button.addEventListener('click', () => this.#press(button.value as Weather));
    network.changed.listen((weather) => {
      this.#note(DEEDS[weather]);
      this.render();
    });
    room.wireChanged.listen(() => this.render());
    room.connectionChanged.listen(() => this.render());
    room.people.changed.listen(soon(() => this.#count()));
    this.render();
  }

  get #buttons(): NodeListOf<HTMLButtonElement> {
    return this.#panel.querySelectorAll('button[value]');
  }

  #press(weather: Weather): void {
    if (weather === 'fair' && this.network.weather === 'fair') {
      this.#note('You dropped the connection');
      this.network.drop();
    } else {
      this.network.become(weather);
    }
  }

  render(): void {
    const { weather } = this.network;
    for (const button of this.#buttons) {
      if (button.value !== 'fair') button.setAttribute('aria-pressed', String(button.value === weather));
    }
    setText(find('.weather', this.#panel), WEATHER[weather]);

    const { state, since, inDoubt, lastHeard, nextTryIn } = this.room.wire;
    const fact = (name: string, text: string) => setText(find(`[data-fact="${name}"]`, this.#panel), text);
    fact('state', inDoubt ? 'In doubt: asked for a sign of life' : `${STATES[state]} since ${toTheSecond(since)}`);
    fact('heard', lastHeard ? secondsAgo(lastHeard) : 'Never');
    fact('next', nextTryIn === null ? '–' : `In ${Math.ceil(nextTryIn / SECOND)} s`);
    this.#count();
  }

  #count(): void {
    const counts: Record<Freshness, number> = { live: 0, stale: 0, unknown: 0 };
    for (const { ids } of this.room.groups) {
      for (const id of ids) counts[this.room.people.get(id)?.freshness ?? 'unknown'] += 1;
    }
    for (const [freshness, count] of Object.entries(counts)) {
      const part = find(`[data-part="${freshness}"]`, this.#panel);
      part.style.flexGrow = String(count);
      setText(find(`[data-count="${freshness}"]`, this.#panel), String(count));
    }
    const freshness = counts.stale > 0 ? 'stale' : counts.live > 0 ? 'live' : 'unknown';
    if (freshness === this.#freshness) return;
    const seconds = ((performance.now() - this.#since) / SECOND).toFixed(1);
    this.#note(`The board is ${freshness}, after ${seconds} s ${this.#freshness}`);
    this.#freshness = freshness;
    this.#since = performance.now();
  }

  #note(text: string): void {
    const line = copyOf('happening');
    stamp(find('time', line), new Date());
    setText(find('span', line), text);
    this.#history.prepend(line);
    this.#history.children[KEPT]?.remove();
  }
}

function secondsAgo(then: Date): string {
  const seconds = Math.max(0, Math.round((Date.now() - then.getTime()) / SECOND));
  return seconds === 0 ? 'Just now' : `${seconds} s ago`;
}
