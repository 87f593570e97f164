/**
 * Presence without a framework: `rollcall/elements` defines `<presence-dot>` and `<presence-label>`.
 *
 * @packageDocumentation
 *
 * @example
 * import { PresenceClient } from 'rollcall';
 * import { setPresenceClient } from 'rollcall/elements';
 *
 * const client = new PresenceClient(apiKey, { baseURL });
 * setPresenceClient(client);
 * await client.connectUser({ id: 'john' }, token);
 * // <presence-dot user="jack"></presence-dot> <presence-label user="jack" live></presence-label>
 */

import type { Presence, PresenceClient } from 'rollcall';
import { rosterOf, unknown, type Roster } from './roster.ts';

let roster: Roster | null = null;

/** All elements on the page, which follow the one client. */
const connected = new Set<PresenceElement>();

/**
 * Sets the client that all elements on the page use, connected or not; null for none, and
 * everybody is unknown. Connecting stays with the app.
 *
 * @example
 * setPresenceClient(client);
 */
export function setPresenceClient(client: PresenceClient<any> | null): void {
  roster = client && rosterOf(client);
  for (const element of connected) element.follow();
}

/** How somebody is shown: `stale` when it was so once and may be so no longer. */
type Shown = 'online' | 'offline' | 'stale' | 'unknown';

/** The words that stand for it, and the attributes of `<presence-label>` by which a page says its own. */
const WORDS: Record<Shown, string> = { online: 'online', offline: 'offline', stale: 'not certain', unknown: 'unknown' };

const shownAs = ({ freshness, online }: Presence<any>): Shown =>
  freshness === 'live' ? (online ? 'online' : 'offline') : freshness;

// On a server there are no elements, and importing this must do no harm.
const Base = globalThis.HTMLElement ?? (class {} as typeof HTMLElement);

/**
 * What both elements are: somebody, named by `user`, who is watched while the element is on a page.
 *
 * @example
 * for (const element of document.querySelectorAll<PresenceElement>('[user]')) {
 *   console.log(element.user, element.presence.online);
 * }
 */
export abstract class PresenceElement extends Base {
  /** @internal */
  static readonly observedAttributes: readonly string[] = ['user'];
  #leave: (() => void) | undefined;
  #presence: Presence<any> = unknown('');

  /** The id of the user it shows; the attribute `user`. */
  get user(): string {
    return this.getAttribute('user') ?? '';
  }

  /** Has it show somebody else. */
  set user(id: string) {
    this.setAttribute('user', id);
  }

  /** What is known of them now. */
  get presence(): Presence {
    return this.#presence;
  }

  /** @internal */
  connectedCallback(): void {
    connected.add(this);
    this.follow();
  }

  /** @internal */
  disconnectedCallback(): void {
    connected.delete(this);
    this.#leave?.();
    this.#leave = undefined;
  }

  /** @internal */
  attributeChangedCallback(): void {
    if (this.isConnected) this.follow();
  }

  /** Follows whom it names now, at the client there is now. @internal */
  follow(): void {
    const { user } = this;
    const last = this.#leave;
    const look = () => {
      this.#presence = roster?.known(user) ?? unknown(user);
      this.dataset['presence'] = shownAs(this.#presence);
      this.render(this.#presence, shownAs(this.#presence));
    };
    this.#leave = roster && user ? roster.subscribe([user], look) : undefined;
    last?.();
    look();
  }

  /** Shows it. @internal */
  protected abstract render(presence: Presence, shown: Shown): void;
}

/**
 * `<presence-dot user="jack">`: a dot, filled while they are online, a ring while they are offline,
 * dashed while nothing is known of them, faded while it is not certain.
 *
 * To screen readers it is an image with a name such as "jack: online"; `label` sets who: `label="Jack"`.
 *
 * Style it by `::part(dot)`, by `[data-presence="online"]` (`offline`, `stale`, `unknown`), and by
 * `--presence-size`, `--presence-online`, `--presence-offline`, `--presence-unknown`.
 *
 * @example
 * const dot: PresenceDotElement = document.createElement('presence-dot');
 * dot.user = 'jack';
 * document.body.append(dot);
 */
export class PresenceDotElement extends PresenceElement {
  /** @internal */
  static override readonly observedAttributes = ['user', 'label'];
  #dot: HTMLElement | undefined;

  protected render({ id, online }: Presence, shown: Shown): void {
    const dot = (this.#dot ??= part(shadowOf(this, (dotStyle ??= sheet(DOT))), 'dot'));
    dot.setAttribute('role', 'img');
    dot.className = shown === 'stale' ? `stale ${online ? 'online' : 'offline'}` : shown;
    dot.setAttribute('aria-label', `${this.getAttribute('label') ?? id}: ${WORDS[shown]}`);
  }
}

/**
 * `<presence-label user="jack">`: in words whether they are online, and their status text.
 *
 * With the attribute `live`, changes are announced politely to screen readers. The words are
 * English unless the attributes `online`, `offline`, `stale`, `unknown` say others. Style it by
 * `::part(presence)` and `::part(status)`, and by `[data-presence="online"]` (`offline`, …).
 *
 * @example
 * const label: PresenceLabelElement = document.createElement('presence-label');
 * label.user = 'jack';
 * label.setAttribute('live', '');
 * document.body.append(label);
 */
export class PresenceLabelElement extends PresenceElement {
  #parts: { label: HTMLElement; presence: HTMLElement; status: HTMLElement } | undefined;
  /** @internal */
  static override readonly observedAttributes = ['user', 'live', 'online', 'offline', 'stale', 'unknown'];

  protected render({ status }: Presence, shown: Shown): void {
    const parts = (this.#parts ??= this.#build());
    // A region must be one before it changes, or the first change is not announced.
    if (this.hasAttribute('live')) parts.label.setAttribute('aria-live', 'polite');
    else parts.label.removeAttribute('aria-live');
    write(parts.presence, this.getAttribute(shown) ?? WORDS[shown]);
    write(parts.status, status ?? '');
  }

  #build() {
    const label = part(shadowOf(this, (labelStyle ??= sheet(LABEL))), 'label');
    label.setAttribute('aria-atomic', 'true');
    return { label, presence: part(label, 'presence'), status: part(label, 'status') };
  }
}

/** Writes only what is another: what is written is announced. */
function write(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

// Neither markup nor `<style>`: strict content security policies allow no inline style, and no HTML from text.

function shadowOf(element: HTMLElement, style: CSSStyleSheet): ShadowRoot {
  const shadow = element.attachShadow({ mode: 'open' });
  shadow.adoptedStyleSheets = [style];
  return shadow;
}

function part(parent: Node, name: string): HTMLElement {
  const element = document.createElement('span');
  element.setAttribute('part', name);
  parent.appendChild(element);
  return element;
}

function sheet(css: string): CSSStyleSheet {
  const style = new CSSStyleSheet();
  style.replaceSync(css);
  return style;
}

const DOT = `
  :host { display: inline-block; inline-size: var(--presence-size, .625em); block-size: var(--presence-size, .625em); }
  :host([hidden]) { display: none; }
  span { display: block; box-sizing: border-box; block-size: 100%; border: .125em solid; border-radius: 50%; forced-color-adjust: none; }
  .online { color: var(--presence-online, #1a7f37); background: currentcolor; }
  .offline { color: var(--presence-offline, #6e7781); }
  .unknown { color: var(--presence-unknown, #6e7781); border-style: dashed; }
  .stale { opacity: .5; }`;

const LABEL = `
  :host([hidden]) { display: none; }
  [part='status']:not(:empty)::before { content: ' · '; }`;

/** Made with the first element: a server has no style sheets. */
let dotStyle: CSSStyleSheet | undefined;
let labelStyle: CSSStyleSheet | undefined;

if (globalThis.customElements) {
  // The package may be on a page twice; the first one's elements are the page's.
  if (!customElements.get('presence-dot')) customElements.define('presence-dot', PresenceDotElement);
  if (!customElements.get('presence-label')) customElements.define('presence-label', PresenceLabelElement);
}

declare global {
  interface HTMLElementTagNameMap {
    'presence-dot': PresenceDotElement;
    'presence-label': PresenceLabelElement;
  }
}
