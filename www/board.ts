import { draw } from './avatar';
import { arrange, copyOf, find, setText } from './dom';
import { glide } from './glide';
import type { People, Person } from './people';
import type { Room } from './room';
import { Signal } from './signal';
import { soon } from './soon';
import { ago, inFull, timeOfDay } from './time';
import type { Group, WayName } from './ways';

/** The team: those whom the chosen way of watching found, who is here first. */
export class Board {
  /** Somebody wants to know why this person is shown as they are. */
  readonly asked = new Signal<string>();
  readonly #section = find('.board');
  readonly #groups = find('.groups', this.#section);
  readonly #count = find('.count', this.#section);
  readonly #people: People;
  readonly #cards = new Map<string, HTMLElement>();
  readonly #lists = new Map<string, HTMLElement>();
  /** Sorts once after however many changes came together. */
  readonly #arrangeSoon = soon(() => this.#arrange());

  constructor(readonly room: Room) {
    this.#people = room.people;
    this.#people.changed.listen((id) => {
      if (this.#cards.has(id)) this.#render(id);
      this.#arrangeSoon();
    });
    room.boardChanged.listen(() => this.#arrangeSoon());
    this.#offerWays();
  }

  /** Says again how long ago everybody was last active. */
  refresh(): void {
    for (const id of this.#cards.keys()) this.#render(id);
  }

  #offerWays(): void {
    const form = find<HTMLFormElement>('.ways', this.#section);
    const names = find<HTMLFormElement>('.names', this.#section);
    const id = find<HTMLInputElement>('input', names);
    const show = () => {
      setText(find('.call code', this.#section), this.room.way.call);
      setText(find('.covers', this.#section), this.room.way.covers);
      names.hidden = !this.room.way.add;
    };
    find<HTMLInputElement>(`[value="${this.room.way.name}"]`, form).checked = true;
    form.addEventListener('change', () => void this.room.watchBy(new FormData(form).get('way') as WayName));
    names.addEventListener('submit', (event) => {
      event.preventDefault();
      const wanted = id.value.trim();
      if (!wanted) return;
      void this.room.watchAlso(wanted).then((done) => {
        if (done) id.value = '';
      });
    });
    this.room.boardChanged.listen(show);
    show();
  }

  #card(id: string): HTMLElement {
    let card = this.#cards.get(id);
    if (!card) {
      card = copyOf('person');
      card.dataset.user = id;
      card.classList.toggle('myself', id === this.#people.me);
      find('.why', card).addEventListener('click', () => this.asked.send(id));
      this.#cards.set(id, card);
      this.#render(id);
    }
    return card;
  }

  #render(id: string): void {
    const person = this.#people.get(id);
    const card = this.#cards.get(id);
    if (!person || !card) return;
    const presence = this.#people.presence(id);
    const before = card.dataset.presence;
    card.dataset.presence = presence;
    card.dataset.status = person.status;
    card.dataset.freshness = person.freshness;

    const name = find('.name', card);
    if (name.textContent !== person.name) {
      name.textContent = person.name;
      name.title = id;
      draw(find('.portrait', card), id, person.name);
    }
    setText(find('.status', card), person.status);
    setText(find('.why span', card), ` is ${person.name} ${presence}`);
    const seen = find('.presence', card);
    setText(seen, this.#words(person));
    seen.title = person.lastActive ? `Last active ${inFull(person.lastActive)}` : '';
    // What merely became known, or unknown, is no news of theirs.
    const news = before && before !== presence && before !== 'unknown' && presence !== 'unknown';
    if (news && id !== this.#people.me) pulse(card);
  }

  #words({ id, lastActive, asOf }: Person): string {
    const mine = id === this.#people.me;
    switch (this.#people.presence(id)) {
      case 'online':
        return asOf && !mine ? `Online as of ${timeOfDay(asOf)}` : 'Online';
      case 'unknown':
        return 'Unknown';
      case 'offline':
        if (asOf && !mine) return `Offline as of ${timeOfDay(asOf)}`;
        return lastActive && !mine ? `Last active ${ago(lastActive)}` : 'Offline';
    }
  }

  #arrange(): void {
    const groups = this.room.groups.filter(({ ids }) => ids.length > 0);
    const shown = new Set<string>();
    glide(this.#cards.values(), () => arrange(this.#groups, groups.map((group) => this.#group(group, shown))));
    for (const id of this.#cards.keys()) if (!shown.has(id)) this.#cards.delete(id);

    const online = [...shown].filter((id) => this.#people.presence(id) === 'online').length;
    const asOf = [...shown].map((id) => this.#people.get(id)?.asOf).find(Boolean);
    const count = `${online} of ${shown.size} online`;
    setText(this.#count, asOf ? `${count} as of ${timeOfDay(asOf)}` : this.#people.current ? count : '');
  }

  /** One group's heading and cards; who is in two groups is shown in the first. */
  #group({ id, name, ids }: Group, shown: Set<string>): HTMLElement {
    let list = this.#lists.get(id);
    if (!list) {
      list = copyOf('group');
      this.#lists.set(id, list);
      const heading = find('h3', list);
      setText(heading, name);
      heading.hidden = !name;
    }
    const people = ids
      .filter((id) => !shown.has(id))
      .map((id) => this.#people.get(id))
      .filter((person) => person !== undefined)
      .sort((a, b) => this.#order(a, b));
    for (const { id } of people) shown.add(id);
    arrange(find('ul', list), people.map(({ id }) => this.#card(id)));
    return list;
  }

  #order(a: Person, b: Person): number {
    return (
      Number(b.id === this.#people.me) - Number(a.id === this.#people.me) ||
      Number(b.online) - Number(a.online) ||
      (a.online ? 0 : (b.lastActive?.getTime() ?? 0) - (a.lastActive?.getTime() ?? 0)) ||
      a.name.localeCompare(b.name, undefined, { numeric: true })
    );
  }
}

function pulse(card: HTMLElement): void {
  card.classList.remove('changed');
  // Reading a size makes the browser notice that the class was gone, so that the animation starts over.
  void card.offsetWidth;
  card.classList.add('changed');
}
