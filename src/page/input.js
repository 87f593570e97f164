// Checking what an app passes in, so that a mistake is told where it was made.

import { invalid } from './error.js';

/**
 * A value as a short text for a message.
 * @param {unknown} value
 */
function shown(value) {
  let text;
  try {
    text = JSON.stringify(value);
  } catch {
    // It goes round in circles.
  }
  // Of undefined and of functions there is no JSON.
  text ??= String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/**
 * Throws unless `holds`.
 * @param {unknown} holds
 * @param {string} wanted
 * @param {unknown} value
 */
function check(holds, wanted, value) {
  if (!holds) throw invalid(`${wanted}; got ${shown(value)}`);
}

/** @param {unknown} value @returns {value is undefined | null} */
const isMissing = (value) => value === undefined || value === null;

/**
 * @param {unknown} value
 * @returns {value is Record<string, any>}
 */
export const isObject = (value) => typeof value === 'object' && value !== null;

/**
 * @param {string} call
 * @param {unknown} value
 * @returns {string}
 */
export function userId(call, value) {
  check(
    typeof value === 'string' && /^[@\w-]{1,255}$/.test(value),
    `${call}: \`id\` must be a string of letters, digits, \`@\`, \`_\` and \`-\`, at most 255 long`,
    value,
  );
  return /** @type {string} */ (value);
}

/**
 * @param {string} call
 * @param {unknown} value
 * @returns {string[]} a copy
 */
export function userIds(call, value) {
  check(Array.isArray(value), `${call}: the users must be an array of their ids`, value);
  return /** @type {unknown[]} */ (value).map((id) => userId(call, id));
}

/**
 * A list of users or of updates to them.
 * @param {string} call
 * @param {unknown} list
 * @returns {{ id: string, [field: string]: any }[]}
 */
export function users(call, list) {
  if (!Array.isArray(list)) throw invalid(`${call}: the argument must be an array of objects with an \`id\``);
  for (const entry of list) userId(call, object(call, 'each entry', entry).id);
  return list;
}

/**
 * @param {string} call
 * @param {unknown} value
 * @returns {(event: any) => void}
 */
export function handler(call, value) {
  if (typeof value !== 'function') throw invalid(`${call}: the handler must be a function`);
  return /** @type {any} */ (value);
}

/**
 * The name of an event, where there is just one.
 * @param {string} call
 * @param {unknown} value
 * @param {string} known
 */
export const event = (call, value, known) => check(value === known, `${call}: the event must be '${known}'`, value);

/**
 * An object; undefined and null count as an empty one.
 * @param {string} call
 * @param {string} name
 * @param {unknown} value
 * @returns {Record<string, any>}
 */
export function object(call, name, value) {
  if (isMissing(value)) return {};
  check(isObject(value) && !Array.isArray(value), `${call}: ${name} must be an object`, value);
  return /** @type {object} */ (value);
}

/** The options of a request, by name. */
export class Options {
  /**
   * @param {string} call
   * @param {unknown} value
   */
  constructor(call, value) {
    this.call = call;
    this.value = object(call, 'options', value);
  }

  /**
   * @param {string} name
   * @param {(value: any) => boolean} holds
   * @param {string} wanted
   */
  get(name, holds, wanted) {
    const value = this.value[name];
    if (isMissing(value)) return undefined;
    check(holds(value), `${this.call}: option \`${name}\` must be ${wanted}`, value);
    return value;
  }

  /** @param {string} name @returns {boolean | undefined} */
  flag(name) {
    return this.get(name, (value) => typeof value === 'boolean', 'true or false');
  }

  /** @param {string} name @returns {number | undefined} */
  number(name) {
    return this.get(name, (value) => Number.isInteger(value) && value >= 0, 'a whole number, 0 or more');
  }

  /** @param {string} name @returns {string | undefined} */
  text(name) {
    return this.get(name, (value) => typeof value === 'string', 'a string');
  }

  /** The signal that ends the request early, an option of every call. @returns {AbortSignal | undefined} */
  signal() {
    return this.get('signal', (value) => value instanceof AbortSignal, 'an AbortSignal');
  }

  /**
   * Refuses every other option. For where a misspelt one would do harm: without its `baseURL`
   * a client would show its tokens to somebody else's server.
   * @param {string[]} known
   */
  only(...known) {
    const unknown = Object.keys(this.value).find((name) => !known.includes(name));
    if (unknown !== undefined) {
      throw invalid(`${this.call}: unknown option \`${unknown}\`; known are ${known.join(', ')}`);
    }
  }

  /** A copy of what was passed, without what is ours alone: what we do not know, the server may. */
  body() {
    const { signal, ...body } = this.value;
    return body;
  }

  /**
   * `{ field: 1 }`, or a list of such, as the protocol writes it; the order of fields is kept.
   * @param {unknown} value
   */
  sort(value) {
    /** @param {unknown} holds */
    const checked = (holds) =>
      check(
        holds,
        `${this.call}: sort must be an object such as { last_active: -1 }, or a list of them, with directions 1 and -1`,
        value,
      );
    const fields = (Array.isArray(value) ? value : [object(this.call, 'sort', value)]).flatMap((part) => {
      checked(isObject(part));
      return Object.entries(part).map(([field, direction]) => {
        checked(direction === 1 || direction === -1);
        return { field, direction };
      });
    });
    if (fields.length > 5) throw invalid(`${this.call}: sort takes at most 5 fields`);
    return fields;
  }
}

/**
 * The signal among the options of a call that takes no others.
 * @param {string} call
 * @param {unknown} options
 */
export const signal = (call, options) => new Options(call, options).signal();
