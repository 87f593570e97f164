import { find, setText } from './dom';

/** Tells of what went wrong until somebody dismisses it. */
export class Banner {
  readonly #banner = find('.banner');

  constructor() {
    find('button', this.#banner).addEventListener('click', () => (this.#banner.hidden = true));
  }

  show(text: string): void {
    setText(find('p', this.#banner), text);
    this.#banner.hidden = false;
  }
}
