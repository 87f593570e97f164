// Measuring side by side: only what was measured in one run, in turns, is compared.

export function median(list) {
  const sorted = [...list].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** How far apart the rounds are, as a part of their median; the odd one out at either end does not count. */
export function spread(list) {
  const sorted = [...list].sort((a, b) => a - b);
  const spared = Math.floor(sorted.length / 5);
  return (sorted[sorted.length - 1 - spared] - sorted[spared]) / median(list);
}

/** `ours` divided by `other`: of each round, then the median of them, so that a slow minute slows down both. */
export function ratio(ours, other) {
  if (ours.length !== other.length) return median(ours) / median(other);
  return median(ours.map((value, round) => value / other[round]));
}

/**
 * Calls each subject in turn, `rounds` times.
 * @param {Record<string, () => Promise<number>>} subjects What each returns is what it took.
 * @returns {Promise<Record<string, number[]>>} by subject
 */
export async function alternate(subjects, rounds) {
  const samples = Object.fromEntries(Object.keys(subjects).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, subject] of Object.entries(subjects)) samples[name].push(await subject());
  }
  return samples;
}
