// Waiting for what is to happen, instead of sleeping and hoping that it has.

import { AssertionError } from 'node:assert';

/** How long anything awaited may take. Generous: it is only ever reached by a failing test. */
export const DEADLINE = 15_000;

/** What was heard, in order; `next` waits for what a test needs and moves on past it. */
export class Events {
  #seen = [];
  #read = 0;
  #waiting = new Set();

  push(event) {
    this.#seen.push(event);
    for (const look of [...this.#waiting]) look();
  }

  /** The next event that `matches`, passing over others; fails, listing them, when none comes in time. */
  next(matches, what = matches) {
    const from = this.#read;
    return new Promise((resolve, reject) => {
      const look = () => {
        const at = this.#seen.findIndex((event, index) => index >= from && matches(event));
        if (at < 0) return;
        this.#read = Math.max(this.#read, at + 1);
        settle(() => resolve(this.#seen[at]));
      };
      const settle = (how) => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        how();
      };
      const timer = setTimeout(
        () =>
          settle(() =>
            reject(
              new AssertionError({
                message: `nothing matched within ${DEADLINE / 1000} s: ${what}\nheard: ${summary(this.#seen.slice(from))}`,
                stackStartFn: this.next,
              }),
            ),
          ),
        DEADLINE,
      );
      this.#waiting.add(look);
      look();
    });
  }

  /** Everything so far that `matches`, whether read past or not. */
  all(matches) {
    return this.#seen.filter(matches);
  }
}

const summary = (events) =>
  events.map(({ type, user }) => (user ? `${type} ${user.id} ${user.online ? 'online' : 'offline'}` : type)).join(', ') ||
  'nothing';

/** Matches a presence event of one user; with `online`, only that direction. */
export const presence = (id, online) =>
  named(
    (event) =>
      event.type === 'user.presence.changed' &&
      event.user?.id === id &&
      (online === undefined || event.user.online === online),
    `${id} ${online === undefined ? 'flips' : online ? 'comes online' : 'goes offline'}`,
  );

/** Matches the news that a user's status is now `text`. */
export const status = (id, text) =>
  named(
    ({ type, user }) => type === 'user.updated' && user.id === id && user.status === text,
    `${id}'s status becomes ${text}`,
  );

/** Matches an event by its type and, with `id`, its user. */
export const event = (type, id) =>
  named((heard) => heard.type === type && (id === undefined || heard.user?.id === id), [type, id].filter(Boolean).join(' of '));

/** Gives a predicate the words that a failure shows. */
function named(matches, words) {
  matches.toString = () => words;
  return matches;
}

/** Fails when `promise` has not settled in time, naming `what` was awaited. */
export function inTime(promise, what, deadline = DEADLINE) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${deadline / 1000} s`)), deadline);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
