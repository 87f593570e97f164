import { find, setText } from './dom';
import { idOf, SUGGESTIONS } from './names';
import type { People } from './people';
import { addressFor } from './visitor';

/** The way to be two people at once: somebody who is not here, in a window of their own. */
export class Invite {
  readonly #section = find('.board');
  readonly #words = find('.invite span', this.#section);
  readonly #link = find<HTMLAnchorElement>('.invite a', this.#section);

  constructor(readonly people: People) {
    people.changed.listen(() => this.#render());
    this.#link.addEventListener('click', (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      // A tab would cover this page; a window can stand beside it. Where there are none, it is a tab.
      if (window.open(this.#link.href, '_blank', 'popup,width=460,height=860')) event.preventDefault();
    });
    this.#render();
  }

  #render(): void {
    const { me } = this.people;
    const absent = (name: string) => idOf(name) !== me && this.people.presence(idOf(name)) !== 'online';
    const name = SUGGESTIONS.find(absent) ?? 'Somebody else';
    const alone = this.people.current && ![...this.people].some(({ id }) => id !== me && this.people.presence(id) === 'online');
    this.#section.classList.toggle('alone', alone);
    setText(this.#words, alone ? 'Nobody else is here. Be two people at once:' : 'Be one more person:');
    setText(this.#link, `Open as ${name} in a new window`);
    this.#link.href = addressFor(name);
  }
}
