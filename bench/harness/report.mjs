// What was measured, as tables: what we reached, what the others did, and whether it is enough.

import { median, ratio, spread } from './measure.mjs';

/**
 * @typedef {object} Result
 * @property {string} what
 * @property {string} unit
 * @property {string} ours the subject that is ours
 * @property {Record<string, number[]>} samples by subject, those of one round at the same place
 * @property {string} [steady] the subject that changes least from run to run: when even its rounds are far apart, the machine is too noisy
 * @property {Aim[]} aims
 * @property {string} [note]
 */

/**
 * @typedef {object} Aim ours is to be at most, or at least, so much; of the subject `of`, or of the unit itself
 * @property {number} [atMost]
 * @property {number} [atLeast]
 * @property {string} [of]
 */

/** Rounds further apart than this tell of other work on the machine: ours, those of the steadiest subject, or of one that an aim is about. */
const NOISY = 0.5;

export const isNoisy = ({ samples, ours, steady = ours, aims }) =>
  [ours, steady, ...aims.flatMap(({ of }) => of ?? [])].some((subject) => spread(samples[subject]) > NOISY);

/** A number with three digits that mean something. */
export function digits(value) {
  if (value >= 1000) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}

/** Each aim, as text, and whether it is reached. */
function verdicts({ samples, ours, aims, unit }) {
  return aims.map(({ atMost, atLeast, of }) => {
    const value = of ? ratio(samples[ours], samples[of]) : median(samples[ours]);
    const reached = atMost === undefined ? value >= atLeast : value <= atMost;
    const aim = atMost ?? atLeast;
    const wanted = `${atMost === undefined ? '≥' : '≤'} ${of ? `${aim}×` : `${digits(aim)} ${unit}`}`;
    // One that misses by a hair shows the hair.
    const shown = !reached && digits(value) === digits(aim) ? value.toFixed(4) : digits(value);
    return `${reached ? '✓' : '✗'} ${of ? `${shown}× ${of}` : `${shown} ${unit}`} (${wanted})`;
  });
}

/** A table in Markdown. @param {Result[]} results */
export function table(results) {
  const rows = results.map((result) => {
    const { what, unit, samples, ours, note } = result;
    const shown = (name) => `${digits(median(samples[name]))} ${unit}`;
    const others = Object.keys(samples).filter((name) => name !== ours);
    return [
      what,
      shown(ours),
      others.map((name) => `${name} ${shown(name)}`).join('; ') || '–',
      [...verdicts(result), ...(isNoisy(result) ? ['**too noisy to judge**'] : []), ...(note ? [note] : [])].join('; ') || '–',
    ];
  });
  const head = ['what', 'rollcall', 'peers and limits', 'ours to theirs (aim)'];
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
