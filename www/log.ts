import type { PresenceEvent } from 'rollcall';
import { arrange, copyOf, find, setText } from './dom';
import { describe } from './sentence';
import { stamp } from './time';

const KEPT = 200;

/** The events as they arrive, newest first. */
export class Log {
  readonly #section = find('#events');
  readonly #list = find('ol', this.#section);
  readonly #pause = find<HTMLButtonElement>('[data-action="pause-events"]', this.#section);
  /** Newest first; while paused, the page keeps showing what it showed. */
  #entries: HTMLElement[] = [];
  #paused = false;
  #waiting = 0;

  constructor(readonly me: string) {
    this.#pause.addEventListener('click', () => {
      this.#paused = !this.#paused;
      this.#waiting = 0;
      this.#render();
    });
    find('[data-action="clear-events"]', this.#section).addEventListener('click', () => {
      this.#entries = [];
      this.#waiting = 0;
      this.#list.replaceChildren();
      this.#render();
    });
  }

  add(event: PresenceEvent): void {
    // One every 25 seconds would bury what people did.
    if (event.type === 'health.check' && !event.me) return;
    // And one for every glance at another tab, which has the client ask whether it is still connected.
    if (event.type === 'connection.state') return;
    this.#entries = [this.#entry(event), ...this.#entries.slice(0, KEPT - 1)];
    if (this.#paused) this.#waiting += 1;
    this.#render();
  }

  #render(): void {
    if (!this.#paused) arrange(this.#list, this.#entries);
    this.#pause.setAttribute('aria-pressed', String(this.#paused));
    setText(this.#pause, this.#paused && this.#waiting > 0 ? `Paused · ${this.#waiting} new` : this.#paused ? 'Paused' : 'Pause');
    find('.empty', this.#section).hidden = this.#list.childElementCount > 0;
  }

  #entry(event: PresenceEvent): HTMLElement {
    const entry = copyOf('event');
    entry.dataset.event = event.type;
    setText(find('.sentence', entry), describe(event, this.me));
    setText(find('code', entry), event.type);
    stamp(find('time', entry), new Date());
    // Most entries are never opened: their text is made when they are.
    find<HTMLDetailsElement>('details', entry).addEventListener(
      'toggle',
      () => setText(find('pre', entry), JSON.stringify(event, null, 2)),
      { once: true },
    );
    return entry;
  }
}
