// For how long a page was wrong about somebody.

/**
 * What a page showed of somebody, held against what was true of them from a moment on.
 *
 * @param {[number, string, string][]} history What was shown and since when, in order: `online` or
 *   `offline`, with `stale` before it where the page said that it may be otherwise by now.
 * @param {string} truth `online` or `offline`, from `since` until `end`.
 * @returns {{ wrong: number, doubted: number, right: boolean }} For how many milliseconds it was
 *   shown otherwise without a doubt, for how many with one; and whether it was right at the end.
 */
export function wrongFor(history, truth, since, end) {
  let wrong = 0;
  let doubted = 0;
  let right = false;
  for (const [n, [at, , shown]] of history.entries()) {
    const until = history[n + 1]?.[0] ?? end;
    const time = Math.max(0, Math.min(until, end) - Math.max(at, since));
    if (shown.startsWith('stale ') || shown === 'unknown') doubted += time;
    else if (shown !== truth) wrong += time;
    right = shown === truth;
  }
  return { wrong, doubted, right };
}
