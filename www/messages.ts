import type { Message } from 'rollcall';
import { draw } from './avatar';
import { arrange, copyOf, find, setText } from './dom';
import { explain } from './problem';
import type { Room } from './room';
import { stamp, timeOfDay } from './time';

/** A message as this page shows it: on the server, on its way, or stuck. */
interface Post {
  id: string;
  author: string;
  name: string;
  text: string;
  at: Date;
  state: 'sent' | 'sending' | 'failed';
  trouble: string;
}

/** What people said; the dot beside each message tells whether its author is here now. */
export class Messages {
  readonly #section = find('.messages');
  readonly #scroll = find('.scroll', this.#section);
  readonly #list = find('ol', this.#section);
  readonly #rows = new Map<string, HTMLElement>();
  /** Mine that the server has not told of yet. */
  readonly #unsent = new Map<string, Post>();
  #sent: Post[] = [];

  constructor(readonly room: Room) {
    room.messagesChanged.listen((messages) => this.#receive(messages));
    room.people.changed.listen((id) => {
      for (const portrait of this.#list.querySelectorAll<HTMLElement>(`[data-author="${CSS.escape(id)}"]`)) {
        this.#showPresence(portrait, id);
      }
    });
    const form = find<HTMLFormElement>('form', this.#section);
    const input = find<HTMLInputElement>('input', form);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const text = input.value.trim();
      if (text) this.#post(text);
      input.value = '';
    });
  }

  #receive(messages: readonly Message[]): void {
    this.#sent = messages.map((message) => ({
      id: message.id,
      author: message.user?.id ?? '',
      name: message.user?.name || message.user?.id || 'Somebody',
      text: message.text ?? '',
      at: new Date(message.created_at),
      state: 'sent',
      trouble: '',
    }));
    for (const { id } of messages) this.#unsent.delete(id);
    this.#render();
    // What was said before I came is not read out; what comes from now on is.
    requestAnimationFrame(() => (this.#scroll.ariaLive = 'polite'));
  }

  #post(text: string): void {
    const { me } = this.room.people;
    const name = this.room.people.get(me)?.name ?? me;
    const post: Post = { id: newId(), author: me, name, text, at: new Date(), state: 'sending', trouble: '' };
    this.#unsent.set(post.id, post);
    void this.#send(post);
  }

  async #send(post: Post): Promise<void> {
    post.state = 'sending';
    this.#render();
    try {
      await this.room.send(post.id, post.text);
    } catch (error) {
      post.state = 'failed';
      post.trouble = `Not sent. ${explain(error)}`;
      this.#render();
    }
  }

  #render(): void {
    const atEnd = this.#scroll.scrollHeight - this.#scroll.scrollTop - this.#scroll.clientHeight < 40;
    const posts = [...this.#sent, ...this.#unsent.values()];
    arrange(this.#list, posts.map((post) => this.#row(post)));
    for (const [id, row] of this.#rows) if (!row.isConnected) this.#rows.delete(id);
    find('.empty', this.#section).hidden = posts.length > 0;
    // Whoever scrolled up to read is left there.
    if (atEnd) this.#scroll.scrollTop = this.#scroll.scrollHeight;
  }

  #row(post: Post): HTMLElement {
    let row = this.#rows.get(post.id);
    if (!row) {
      row = copyOf('message');
      this.#rows.set(post.id, row);
      row.dataset.message = post.id;
      row.classList.toggle('mine', post.author === this.room.people.me);
      const portrait = find('.portrait', row);
      portrait.dataset.author = post.author;
      portrait.role = 'img';
      draw(portrait, post.author, post.name);
      this.#showPresence(portrait, post.author);
      setText(find('.name', row), post.name);
      setText(find('.text', row), post.text);
      find('.trouble button', row).addEventListener('click', () => {
        const stuck = this.#unsent.get(post.id);
        if (stuck) void this.#send(stuck);
      });
    }
    row.dataset.state = post.state;
    stamp(find('time', row), post.at, post.state === 'sending' ? 'sending…' : timeOfDay(post.at));
    find('.trouble', row).hidden = post.state !== 'failed';
    setText(find('.trouble span', row), post.trouble);
    return row;
  }

  #showPresence(portrait: HTMLElement, author: string): void {
    const presence = this.room.people.presence(author);
    const { freshness = 'unknown' } = this.room.people.get(author) ?? {};
    portrait.dataset.presence = presence;
    portrait.dataset.freshness = freshness;
    const when = freshness === 'stale' ? 'when last heard' : 'now';
    portrait.ariaLabel = presence === 'unknown' ? 'whether they are here is unknown' : `${presence} ${when}`;
  }
}

/** Unlike `crypto.randomUUID`, this also works on a page that came without TLS from another machine. */
function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
