import type { Presence, PresenceWatch } from 'rollcall';
import { CrowdGrid } from './crowd-grid';
import type { Order, Report } from './crowd-worker';
import { find, setText } from './dom';
import { FrameMeter } from './frames';
import type { Room } from './room';
import { Signal } from './signal';
import { simulated } from './simulated';
import { soon } from './soon';

/** A thousand simulated people on request: they come from a worker, and are watched from here. */
export class Crowd {
  /** Somebody is to be looked into; whose id. */
  readonly asked = new Signal<string>();
  readonly #section = find('.crowd');
  readonly #switch = find<HTMLButtonElement>('button', this.#section);
  readonly #grid = new CrowdGrid();
  /** Who exists by now. */
  readonly #known = new Set<string>();
  readonly #count = soon(() => this.#showCounts());
  #worker: Worker | undefined;
  #watch: PresenceWatch | undefined;
  /** While the crowd is here. */
  #frames: FrameMeter | undefined;
  #flips = 0;

  constructor(readonly room: Room) {
    this.#switch.addEventListener('click', () => (this.#frames ? this.#sendHome() : this.#callIn()));
    this.#grid.pointed.listen((id) => setText(find('.pointed', this.#section), this.#grid.describe(id)));
    this.#grid.chosen.listen((id) => this.asked.send(id));
    room.connectionChanged.listen((connection) => {
      if (connection.state === 'online') void this.#follow();
      // A goodbye ends the watch; a lost connection does not.
      else if (connection.state === 'offline' && !connection.retrying) this.#watch = undefined;
    });
  }

  /** Says how much comes and goes, and how smoothly the page shows it; to be called every second. */
  refresh(): void {
    if (!this.#frames) return;
    const { drawn, longest } = this.#frames.take();
    setText(find('.pace', this.#section), `Last second: ${this.#flips} came or went, ${drawn} frames, the longest ${Math.round(longest)} ms`);
    this.#flips = 0;
  }

  #callIn(): void {
    this.#frames = new FrameMeter();
    this.#offer('crowd-leave', 'Send them home');
    const here = find('.here', this.#section);
    here.hidden = false;
    this.#grid.fill();
    here.scrollIntoView({ block: 'nearest' });
    this.#count();
    this.#worker ??= this.#hire();
    void this.#follow();
    this.#order({ people: inAnyOrder(simulated).map((person) => ({ ...person, token: this.room.devToken(person.id) })) });
  }

  #sendHome(): void {
    this.#frames?.stop();
    this.#frames = undefined;
    this.#offer('crowd-come', 'Bring them back');
    for (const said of ['.pace', '.refused']) setText(find(said, this.#section), '');
    this.#order('leave');
  }

  #offer(action: string, words: string): void {
    this.#switch.dataset.action = action;
    setText(this.#switch, words);
  }

  #order(order: Order): void {
    this.#worker?.postMessage(order);
  }

  #hire(): Worker {
    const worker = new Worker(new URL('crowd-worker.js', import.meta.url), { type: 'module' });
    worker.addEventListener('message', ({ data }: MessageEvent<Report>) => {
      if ('came' in data) void this.#meet(data.came);
      else setText(find('.refused', this.#section), `Somebody could not come: ${data.refused}.`);
    });
    return worker;
  }

  /** Watches all who exist, unless they are watched already. */
  async #follow(): Promise<void> {
    if (this.#watch || !this.#worker || this.room.connection.state !== 'online') return;
    const watch = await this.room.watchPresence([]);
    if (this.#watch) return watch.stop();
    this.#watch = watch;
    watch.on('change', (change) => this.#see(change));
    await this.#watchAlso([...this.#known]);
  }

  async #meet(ids: string[]): Promise<void> {
    for (const id of ids) this.#known.add(id);
    await this.#watchAlso(ids);
  }

  async #watchAlso(ids: string[]): Promise<void> {
    const watch = this.#watch;
    if (!watch || ids.length === 0) return;
    try {
      await watch.add(ids);
    } catch (error) {
      // After a goodbye, all of them are watched again when one is back.
      if (this.#watch === watch) throw error;
    }
    for (const id of ids) this.#see(watch.get(id));
  }

  #see(known: Presence): void {
    if (this.#grid.show(known)) this.#flips += 1;
    this.#count();
  }

  #showCounts(): void {
    const { online, offline, unknown, stale } = this.#grid.counts;
    const counts = [`${online} online`, `${offline} offline`];
    if (stale > 0) counts.push(`${stale} of them as last heard`);
    if (unknown > 0) counts.push(`${unknown} not known yet`);
    setText(find('.counted', this.#section), counts.join(', '));
  }
}

const inAnyOrder = <T>(all: readonly T[]): T[] =>
  all
    .map((one) => ({ one, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ one }) => one);
