import { setText } from './dom';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const clockWithSeconds = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const day = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short' });
const dayOfYear = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', year: 'numeric' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

/** How long ago `then` was, in the words of a person: `just now`, `3 min ago`, `yesterday`, `on 4 Mar`. */
export function ago(then: Date, now = new Date()): string {
  // The server's clock may run ahead of ours; nobody was last active in the future.
  const passed = Math.max(0, now.getTime() - then.getTime());
  if (passed < MINUTE) return 'just now';
  if (passed < HOUR) return `${Math.floor(passed / MINUTE)} min ago`;
  if (passed < DAY) return `${Math.floor(passed / HOUR)} h ago`;
  if (passed < 2 * DAY) return 'yesterday';
  if (passed < 7 * DAY) return `${Math.floor(passed / DAY)} days ago`;
  return `on ${(then.getFullYear() === now.getFullYear() ? day : dayOfYear).format(then)}`;
}

/** The time of day; with the day before it when that is not today. */
export function timeOfDay(then: Date, now = new Date()): string {
  const time = clock.format(then);
  return then.toDateString() === now.toDateString() ? time : `${day.format(then)}, ${time}`;
}

/** The time of day, to the second. */
export const toTheSecond = (then: Date): string => clockWithSeconds.format(then);

/** Date and time in full. */
export const inFull = (then: Date): string => full.format(then);

/** Writes into `time` when something happened, in `words`; date and time in full stand behind them. */
export function stamp(time: HTMLTimeElement, at: Date, words = toTheSecond(at)): void {
  time.dateTime = at.toISOString();
  time.title = inFull(at);
  setText(time, words);
}

/** Calls `refresh` every so many seconds while the page can be seen, and as soon as it can be seen again. */
export function keepFresh(seconds: number, refresh: () => void): void {
  let timer: ReturnType<typeof setInterval> | undefined;
  const follow = () => {
    clearInterval(timer);
    if (document.hidden) return;
    refresh();
    timer = setInterval(refresh, seconds * 1000);
  };
  document.addEventListener('visibilitychange', follow);
  follow();
}
