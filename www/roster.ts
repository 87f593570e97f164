import { draw } from './avatar';
import { arrange, copyOf, find, setText } from './dom';
import type { People, Person } from './people';
import { ago, inFull, timeOfDay } from './time';

/** Everybody, those who are here first. */
export class Roster {
  readonly #list = find('.roster');
  readonly #count = find('.people .count');
  readonly #rows = new Map<string, HTMLElement>();
  #stale = false;

  constructor(readonly people: People) {
    people.changed.listen((id) => {
      this.#render(id);
      this.#sortSoon();
    });
  }

  /** Says again how long ago everybody was last active. */
  refresh(): void {
    for (const id of this.#rows.keys()) this.#render(id);
  }

  #render(id: string): void {
    const person = this.people.get(id);
    if (!person) return;
    let row = this.#rows.get(id);
    if (!row) {
      row = copyOf('person');
      row.dataset.user = id;
      if (id === this.people.me) row.classList.add('myself');
      this.#rows.set(id, row);
    }
    const presence = this.people.presence(id);
    const before = row.dataset.presence;
    row.dataset.presence = presence;
    row.dataset.status = person.status;
    row.dataset.freshness = person.freshness;

    const name = find('.name', row);
    if (name.textContent !== person.name) {
      name.textContent = person.name;
      name.title = person.id;
      draw(find('.portrait', row), id, person.name);
    }
    setText(find('.status', row), person.status);
    const seen = find('.presence', row);
    setText(seen, this.#words(person));
    seen.title = person.lastActive ? `Last active ${inFull(person.lastActive)}` : '';
    // What merely became known, or unknown, is no news of theirs.
    const news = before && before !== presence && before !== 'unknown' && presence !== 'unknown';
    if (news && id !== this.people.me) pulse(row);
  }

  #words({ id, lastActive, asOf }: Person): string {
    switch (this.people.presence(id)) {
      case 'online':
        return asOf ? `Online at ${timeOfDay(asOf)}` : 'Online';
      case 'unknown':
        return 'Unknown';
      case 'offline':
        if (asOf && id !== this.people.me) return `Offline at ${timeOfDay(asOf)}`;
        return id !== this.people.me && lastActive ? `Last active ${ago(lastActive)}` : 'Offline';
    }
  }

  /** Sorts once after however many changes came together. */
  #sortSoon(): void {
    if (this.#stale) return;
    this.#stale = true;
    queueMicrotask(() => {
      this.#stale = false;
      const everybody = [...this.people].sort((a, b) => this.#order(a, b));
      arrange(this.#list, everybody.map(({ id }) => this.#rows.get(id)).filter((row) => row !== undefined));
      const online = everybody.filter(({ id }) => this.people.presence(id) === 'online').length;
      setText(this.#count, this.people.current ? `${online} of ${everybody.length} online` : '');
    });
  }

  #order(a: Person, b: Person): number {
    return (
      Number(b.id === this.people.me) - Number(a.id === this.people.me) ||
      Number(b.online) - Number(a.online) ||
      (a.online ? 0 : (b.lastActive?.getTime() ?? 0) - (a.lastActive?.getTime() ?? 0)) ||
      a.name.localeCompare(b.name, undefined, { numeric: true })
    );
  }
}

function pulse(row: HTMLElement): void {
  row.classList.remove('changed');
  // Reading a size makes the browser notice that the class was gone, so that the animation starts over.
  void row.offsetWidth;
  row.classList.add('changed');
}
