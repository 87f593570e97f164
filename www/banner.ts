import { find, setText } from './dom';

/** Tells of what went wrong, until it is dismissed or over. */
export class Banner {
  readonly #banner = find('.banner');

  constructor() {
    find('button', this.#banner).addEventListener('click', () => this.hide());
  }

  show(text: string): void {
    setText(find('p', this.#banner), text);
    this.#banner.hidden = false;
  }

  hide(): void {
    this.#banner.hidden = true;
  }
}
