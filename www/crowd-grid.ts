import type { Freshness, Presence as Known } from 'rollcall';
import { find } from './dom';
import type { Presence } from './people';
import { Signal } from './signal';
import { simulated } from './simulated';

/** How many are online, offline and unknown, and of how many of them that may have changed. */
export type Counts = Record<Presence | 'stale', number>;

interface Cell {
  element: HTMLElement;
  presence: Presence;
  freshness: Freshness;
}

/** A thousand people, each a small square: arrow keys move from one to the next. */
export class CrowdGrid {
  /** Whoever is pointed at. */
  readonly pointed = new Signal<string>();
  /** Whoever is chosen. */
  readonly chosen = new Signal<string>();
  readonly counts: Counts = { online: 0, offline: 0, unknown: simulated.length, stale: 0 };
  readonly #grid = find('.crowd .grid');
  readonly #cells = new Map<string, Cell>();
  readonly #names = new Map(simulated.map(({ id, name }) => [id, name]));
  #at = 0;

  /** Fills the grid; before, it holds nothing that a page would have to lay out. */
  fill(): void {
    if (this.#cells.size > 0) return;
    const fresh = document.createDocumentFragment();
    for (const { id, name } of simulated) {
      const element = document.createElement('span');
      element.id = id;
      element.role = 'option';
      element.ariaSelected = 'false';
      element.dataset.user = id;
      const cell: Cell = { element, presence: 'unknown', freshness: 'unknown' };
      this.#cells.set(id, cell);
      this.#paint(cell, name);
      fresh.append(element);
    }
    this.#grid.append(fresh);
    this.#grid.addEventListener('pointerover', ({ target }) => this.#point(target));
    this.#grid.addEventListener('click', ({ target }) => {
      const cell = this.#point(target);
      if (cell) this.chosen.send(cell.id);
    });
    this.#grid.addEventListener('keydown', (event) => this.#press(event));
    this.#grid.addEventListener('focus', () => this.#move(this.#at));
  }

  /** Shows somebody as they are known to be. Whether that is another presence than before. */
  show({ id, online, freshness }: Known): boolean {
    const cell = this.#cells.get(id);
    if (!cell) return false;
    const presence = freshness === 'unknown' ? 'unknown' : online ? 'online' : 'offline';
    const flipped = presence !== cell.presence;
    if (!flipped && freshness === cell.freshness) return false;
    this.counts[cell.presence] -= 1;
    this.counts[presence] += 1;
    this.counts.stale += Number(freshness === 'stale') - Number(cell.freshness === 'stale');
    Object.assign(cell, { presence, freshness });
    this.#paint(cell, this.#names.get(id) ?? id);
    return flipped;
  }

  describe(id: string): string {
    return this.#cells.get(id)?.element.ariaLabel ?? id;
  }

  #paint({ element, presence, freshness }: Cell, name: string): void {
    element.dataset.presence = presence;
    element.dataset.freshness = freshness;
    element.ariaLabel = `${name}, ${freshness === 'stale' ? `${presence} when last heard` : presence}`;
  }

  #point(target: EventTarget | null): HTMLElement | null {
    const cell = target instanceof HTMLElement && target.role === 'option' ? target : null;
    if (cell) this.pointed.send(cell.id);
    return cell;
  }

  #press(event: KeyboardEvent): void {
    const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.#columns, ArrowDown: this.#columns };
    const last = simulated.length - 1;
    const places: Record<string, number> = { Home: 0, End: last };
    const to = steps[event.key] === undefined ? places[event.key] : this.#at + (steps[event.key] ?? 0);
    if (to !== undefined) this.#move(Math.min(last, Math.max(0, to)));
    else if (event.key === 'Enter' || event.key === ' ') this.chosen.send(simulated[this.#at]?.id ?? '');
    else return;
    event.preventDefault();
  }

  get #columns(): number {
    return getComputedStyle(this.#grid).gridTemplateColumns.split(' ').length;
  }

  #move(to: number): void {
    const [from, next] = [simulated[this.#at], simulated[to]];
    this.#at = to;
    if (from) this.#select(from.id, false);
    if (!next) return;
    this.#select(next.id, true);
    this.#grid.setAttribute('aria-activedescendant', next.id);
    this.pointed.send(next.id);
  }

  #select(id: string, selected: boolean): void {
    const element = this.#cells.get(id)?.element;
    if (element) element.ariaSelected = String(selected);
  }
}
