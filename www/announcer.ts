import { find } from './dom';
import type { People, Presence } from './people';

/** Long enough for what happens together to be one announcement. */
const GATHER = 700;

/** Says in a screen reader's polite voice who came and who went. */
export class Announcer {
  readonly #region = find('.announcer');
  readonly #last = new Map<string, Presence>();
  readonly #moved = new Set<string>();

  constructor(readonly people: People) {
    people.changed.listen((id) => this.#notice(id));
  }

  #notice(id: string): void {
    const presence = this.people.presence(id);
    const before = this.#last.get(id);
    if (presence === 'unknown' || presence === before) return;
    this.#last.set(id, presence);
    // Somebody seen for the first time is no news unless they are here.
    if (id === this.people.me || (before === undefined && presence === 'offline')) return;
    if (this.#moved.size === 0) setTimeout(() => this.#announce(), GATHER);
    this.#moved.add(id);
  }

  #announce(): void {
    const names = (presence: Presence) =>
      [...this.#moved].filter((id) => this.people.presence(id) === presence).map((id) => this.people.get(id)?.name ?? id);
    this.#region.textContent = [sentence(names('online'), 'online'), sentence(names('offline'), 'offline')].join(' ').trim();
    this.#moved.clear();
  }
}

function sentence(names: string[], presence: string): string {
  if (names.length === 0) return '';
  if (names.length > 3) return `${names.length} people are ${presence}.`;
  return `${new Intl.ListFormat('en').format(names)} ${names.length === 1 ? 'is' : 'are'} ${presence}.`;
}
