import { arrange, copyOf, find, setText } from './dom';
import { browserOf, happening, inspect, reason, type Inspection } from './inspection';
import { explain } from './problem';
import type { Room } from './room';
import { Signal } from './signal';
import { keepFresh, stamp, toTheSecond } from './time';

/** Answers why somebody is online, with what the server goes by. */
export class Inspector {
  /** Somebody is to be looked into. */
  readonly opened = new Signal();
  readonly #panel = find('#inspector');
  /** Where the keyboard's focus was when somebody was chosen; Escape leads back. */
  #from: HTMLElement | null = null;
  #id = '';
  /** Whom the server does not know is not asked about again and again. */
  #isKnown = false;
  #told = '';
  #asking = false;
  #askAgain = false;

  constructor(readonly room: Room) {
    room.people.changed.listen((id) => {
      if (id === this.#id) this.refresh();
    });
    this.#panel.addEventListener('keydown', ({ key }) => {
      if (key === 'Escape') this.#from?.focus();
    });
    // Of a grace that runs out, nothing tells before it has.
    keepFresh(2, () => {
      if (this.#isKnown) this.refresh();
    });
  }

  open(id: string): void {
    this.#id = id;
    this.#from = document.activeElement as HTMLElement | null;
    find('.empty', this.#panel).hidden = true;
    const found = find('.found', this.#panel);
    found.dataset.inspected = id;
    found.hidden = true;
    this.opened.send();
    this.refresh();
  }

  /** Asks again, unless nobody can see the answer. */
  refresh(): void {
    if (!this.#id || this.#panel.hidden || document.hidden) return;
    this.#askAgain = true;
    if (!this.#asking) void this.#ask();
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    while (this.#askAgain) {
      this.#askAgain = false;
      const id = this.#id;
      try {
        // In an app of yours, its backend asks, with its own token.
        const inspection = await inspect(this.room.devToken(id), id);
        this.#isKnown = true;
        if (id === this.#id) this.#render(inspection);
      } catch (error) {
        this.#isKnown = false;
        if (id === this.#id) this.#say(explain(error));
      }
    }
    this.#asking = false;
  }

  #say(answer: string): void {
    find('.found', this.#panel).hidden = false;
    const name = this.room.nameOf(this.#id);
    setText(find('.question', this.#panel), `Why is ${name} shown so?`);
    setText(find('.answer', this.#panel), answer);
  }

  #render(inspection: Inspection): void {
    const name = this.room.nameOf(this.#id);
    this.#say(reason(name, inspection));
    setText(find('.question', this.#panel), `Why is ${name} ${inspection.online ? 'online' : 'offline'}?`);
    find('.found', this.#panel).dataset.why = inspection.why;

    // What is as it was stays on the page, and whatever is selected in it.
    const told = JSON.stringify(inspection);
    if (told === this.#told) return;
    this.#told = told;
    const { connections, history } = inspection;
    find('.no-connection', this.#panel).hidden = connections.length > 0;
    arrange(find('.connections', this.#panel), connections.map((connection) => this.#connection(connection)));
    arrange(find('.history', this.#panel), history.map((step) => this.#step(step)));
  }

  #connection({ id, transport, client, user_agent, opened_at, last_heard_at }: Inspection['connections'][number]): HTMLElement {
    const row = copyOf('connection');
    row.dataset.connection = id;
    const where = user_agent ? browserOf(user_agent) : (client ?? 'a client that does not say what it is');
    setText(find('.where', row), `${transport === 'websocket' ? 'WebSocket' : 'Long-polling'} from ${where}`);
    find('.where', row).title = user_agent ?? '';
    setText(find('code', row), id);
    setText(find('.times', row), `open since ${toTheSecond(new Date(opened_at))}, heard at ${toTheSecond(new Date(last_heard_at))}`);
    return row;
  }

  #step(step: Inspection['history'][number]): HTMLElement {
    const row = copyOf('step');
    row.dataset.step = step.type;
    stamp(find('time', row), new Date(step.at));
    setText(find('span', row), happening(step));
    setText(find('code', row), step.connection_id?.slice(0, 8) ?? '');
    return row;
  }
}
