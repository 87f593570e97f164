import { find } from './dom';
import { Signal } from './signal';

/** Panels of which one is shown, chosen by tabs: arrow keys, Home and End move between them. */
export class Tabs {
  /** The id of the panel that is shown now. */
  readonly changed = new Signal<string>();
  readonly #tabs: HTMLElement[];

  constructor(list: HTMLElement) {
    this.#tabs = [...list.querySelectorAll<HTMLElement>('[role="tab"]')];
    for (const tab of this.#tabs) tab.addEventListener('click', () => this.#select(tab));
    list.addEventListener('keydown', (event) => {
      const at = this.#tabs.findIndex((tab) => tab.ariaSelected === 'true');
      const places: Record<string, number> = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: -1 };
      const tab = this.#tabs.at((places[event.key] ?? NaN) % this.#tabs.length);
      if (!(event.key in places) || !tab) return;
      event.preventDefault();
      this.#select(tab);
      tab.focus();
    });
  }

  /** Whether this panel is the one that is shown. */
  shows(panel: string): boolean {
    return !find(`#${panel}`).hidden;
  }

  /** Shows a panel, and moves the keyboard's focus there. */
  open(panel: string): void {
    const tab = this.#tabs.find((tab) => panelOf(tab) === panel);
    if (tab) this.#select(tab);
    find(`#${panel}`).focus();
  }

  #select(chosen: HTMLElement): void {
    for (const tab of this.#tabs) {
      tab.ariaSelected = String(tab === chosen);
      // One stop for the Tab key; from there the arrows lead on.
      tab.tabIndex = tab === chosen ? 0 : -1;
      find(`#${panelOf(tab)}`).hidden = tab !== chosen;
    }
    this.changed.send(panelOf(chosen));
  }
}

const panelOf = (tab: Element) => tab.getAttribute('aria-controls') ?? '';
