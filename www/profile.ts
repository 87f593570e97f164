import { draw } from './avatar';
import { find, setText } from './dom';
import type { Room } from './room';
import type { Visitor } from './visitor';

/** My own card: who I am here, my status, whether I hide, and my connection. */
export class Profile {
  readonly #card = find('.me');
  readonly #status = find<HTMLInputElement>('#status', this.#card);
  readonly #hide = find<HTMLButtonElement>('[data-action="toggle-invisible"]', this.#card);
  readonly #disconnect = find<HTMLButtonElement>('[data-action="disconnect"]', this.#card);
  readonly #reconnect = find<HTMLButtonElement>('[data-action="reconnect"]', this.#card);
  /** What the status was when it was last shown: whatever else stands in the input is being typed. */
  #shown = '';

  constructor(
    readonly room: Room,
    readonly visitor: Visitor,
  ) {
    document.title = `${visitor.name} · Rollcall`;
    room.connectionChanged.listen(() => this.render());
    room.wireChanged.listen(() => this.render());
    room.people.changed.listen((id) => {
      if (id === visitor.id) this.render();
    });
    find<HTMLFormElement>('form', this.#card).addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#setStatus();
    });
    this.#hide.addEventListener('click', () => void this.#toggleInvisible());
    this.#disconnect.addEventListener('click', () => this.#swap(this.#reconnect, () => this.room.disconnect()));
    this.#reconnect.addEventListener('click', () => this.#swap(this.#disconnect, () => this.room.connect()));
    this.render();
  }

  render(): void {
    const { connection, wire, invisible, people } = this.room;
    const me = people.get(this.visitor.id);
    const name = me?.name ?? this.visitor.name;
    const online = connection.state === 'online' && wire.state === 'connected';

    this.#card.dataset.presence = online && !invisible ? 'online' : 'offline';
    const title = find('.name', this.#card);
    if (title.textContent !== name) {
      title.textContent = name;
      draw(find('.portrait', this.#card), this.visitor.id, name);
      document.title = `${name} · Rollcall`;
    }
    setText(find('.state', this.#card), !online ? 'Not connected' : invisible ? 'Invisible' : 'Online');

    const status = me?.status ?? '';
    if (this.#status.value === this.#shown) this.#status.value = status;
    this.#shown = status;

    this.#hide.setAttribute('aria-checked', String(invisible));
    setText(find('.note', this.#card), invisible ? 'Others see you as offline.' : 'Others see you come and go.');

    const away = connection.state === 'offline' && !connection.retrying;
    this.#disconnect.hidden = away;
    this.#reconnect.hidden = !away;
  }

  async #setStatus(): Promise<void> {
    const status = this.#status.value.trim();
    if (await this.room.setStatus(status)) this.#status.value = status;
  }

  async #toggleInvisible(): Promise<void> {
    // Not the `disabled` attribute: that would take the keyboard's focus away.
    if (this.#hide.ariaBusy === 'true') return;
    this.#hide.ariaBusy = 'true';
    await this.room.setInvisible(!this.room.invisible);
    this.#hide.ariaBusy = null;
  }

  /** The button pressed gives its place to the other one, and the keyboard's focus with it. */
  #swap(other: HTMLButtonElement, work: () => Promise<unknown>): void {
    void work();
    if (!other.hidden) other.focus();
  }
}
