import { Signal } from './signal';

/** What this page's network is like. */
export type Weather = 'fair' | 'slow' | 'frozen' | 'cut';

/** How much longer everything takes, each way, while it is slow; in milliseconds. */
export const DELAY = 1000;
/** The close code of a connection that was lost. */
const LOST = 4000;

/** What is on its way in one direction, in order. */
class Lane {
  readonly #queue: { due: number; deliver: () => void }[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly network: Network) {}

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  carry(deliver: () => void): void {
    this.#queue.push({ due: performance.now() + DELAY, deliver });
    this.move();
  }

  /** Delivers what has arrived, as the weather is now. */
  move(): void {
    clearTimeout(this.#timer);
    const { weather } = this.network;
    if (weather === 'frozen') return;
    for (let next = this.#queue[0]; next; next = this.#queue[0]) {
      const wait = weather === 'slow' ? next.due - performance.now() : 0;
      if (wait > 0) {
        this.#timer = setTimeout(() => this.move(), wait);
        return;
      }
      this.#queue.shift();
      next.deliver();
    }
  }
}

/** What `Network` does to a socket. */
interface Line {
  move(): void;
  cut(): void;
}

/**
 * The network between this page and its server, in the hands of whoever looks at the page: the
 * page's sockets and requests are real, and this stands between them and the client.
 */
export class Network {
  readonly changed = new Signal<Weather>();
  readonly #lines = new Set<Line>();
  #weather: Weather = 'fair';
  #waiting: (() => void)[] = [];

  get weather(): Weather {
    return this.#weather;
  }

  become(weather: Weather): void {
    const before = this.#weather;
    this.#weather = weather;
    if (weather === 'cut') this.drop();
    else for (const line of this.#lines) line.move();
    if (weather !== 'frozen') for (const go of this.#waiting.splice(0)) go();
    // As browsers tell their pages when there is a network again.
    if (before === 'cut' && weather !== 'cut') dispatchEvent(new Event('online'));
    this.changed.send(weather);
  }

  /** Ends the connection there is, as a passing fault would. */
  drop(): void {
    for (const line of this.#lines) line.cut();
  }

  /** From here on, the page's sockets and requests go this way. */
  install(): void {
    globalThis.WebSocket = this.#socket();
    globalThis.fetch = this.#request(globalThis.fetch.bind(globalThis));
  }

  #socket(): typeof WebSocket {
    const network = this;
    return class extends WebSocket {
      readonly #up = new Lane(network);
      readonly #down = new Lane(network);

      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols);
        const line = {
          move: () => (this.#up.move(), this.#down.move()),
          cut: () => super.close(LOST),
        };
        network.#lines.add(line);
        this.addEventListener('close', () => network.#lines.delete(line));
        // The first listener of all: what it stops has not arrived yet.
        this.addEventListener('message', (event) => {
          if (!event.isTrusted || (network.weather === 'fair' && this.#down.isEmpty)) return;
          event.stopImmediatePropagation();
          this.#down.carry(() => this.dispatchEvent(new MessageEvent('message', { data: event.data })));
        });
        if (network.weather === 'cut') line.cut();
      }

      override send(data: Parameters<WebSocket['send']>[0]): void {
        this.#up.carry(() => {
          if (this.readyState === this.OPEN) super.send(data);
        });
      }

      override close(code?: number, reason?: string): void {
        this.#up.carry(() => super.close(code, reason));
      }
    };
  }

  #request(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
    return async (input, init) => {
      const signal = init?.signal;
      while (this.#weather === 'frozen') {
        await new Promise<void>((resolve) => {
          this.#waiting.push(resolve);
          signal?.addEventListener('abort', () => resolve(), { once: true });
        });
        signal?.throwIfAborted();
      }
      if (this.#weather === 'cut') throw new TypeError('The network is cut');
      if (this.#weather === 'slow') await new Promise((resolve) => setTimeout(resolve, 2 * DELAY));
      return fetch(input, init);
    };
  }
}
