// What a filter means and in which order, for `rollcall/testing`: as a real server has it.

import { input } from './refusal.ts';
import type { Fields } from './users.ts';

type Holds = (record: Fields) => boolean;

/** Fields of a user that no filter may ask for: only the user themselves, or only the moment, knows them. */
export const HIDDEN_OF_USERS = ['online', 'invisible', 'privacy_settings', 'revoke_tokens_issued_before'];
/** Fields of a channel of which this server keeps nothing. */
export const UNKNOWN_OF_CHANNELS = [
  'app_banned', 'archived', 'blocked', 'channel_role', 'filter_tags', 'has_unread', 'hidden', 'invite', 'member.user.name',
  'muted', 'pinned', 'pinned_at', 'unread_count',
];
const TIMES = ['created_at', 'updated_at', 'last_active', 'last_message_at', 'last_updated'];

/** What is at a path of fields. */
const at = (record: Fields, path: string): unknown =>
  path.split('.').reduce<unknown>((value, field) => (Object(value) as Fields)[field], record);

/** What compares like the field does: times as numbers. */
const comparable = (path: string, value: unknown): unknown => (TIMES.includes(path) ? Date.parse(String(value)) : value);

/** Lower case, the words parted by one space and led by one: what a search looks in. */
const words = (text: unknown): string => ` ${String(text).toLowerCase().split(/[\s!-/:-@[-`{-~]+/).filter(Boolean).join(' ')}`;

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Fields in whose lists order does not matter: asked for one value, they need only hold it. */
const SETS = ['members', 'teams'];
const sameSet = (value: any, operand: any): boolean =>
  Array.isArray(operand) ? same([...value].sort(), [...operand].sort()) : value.includes(operand);

/** By operator, whether a value that is there passes. */
const OPERATORS: Record<string, (value: any, operand: any) => boolean> = {
  $eq: same,
  $ne: (value, operand) => !same(value, operand),
  $gt: (value, operand) => typeof value === typeof operand && value > operand,
  $gte: (value, operand) => typeof value === typeof operand && value >= operand,
  $lt: (value, operand) => typeof value === typeof operand && value < operand,
  $lte: (value, operand) => typeof value === typeof operand && value <= operand,
  $in: (value, operand) => [value].flat().some((item) => operand.includes(item)),
  $nin: (value, operand) => !operand.includes(value),
  $exists: (_, operand) => operand === true,
  $contains: (value, operand) => Array.isArray(value) && value.includes(operand),
  $autocomplete: (value, operand) => typeof value === 'string' && words(value).includes(words(operand)),
};

/** Whether something of which the field is absent passes. */
const passesAbsent = (operator: string, operand: unknown): boolean =>
  operator === '$exists' ? operand === false : operator === '$ne' || operator === '$nin';

/** What a filter says, as a question about one record. Refuses what it does not understand, and these fields. */
export function matching(filter: Fields, refused: readonly string[]): Holds {
  const conditions = Object.entries(filter).map(([field, asked]) => condition(field, asked, refused));
  return (record) => conditions.every((holds) => holds(record));
}

function condition(field: string, asked: unknown, refused: readonly string[]): Holds {
  if (field === '$and' || field === '$or' || field === '$nor') {
    const filters = (asked as Fields[]).map((filter) => matching(filter, refused));
    if (field === '$and') return (record) => filters.every((holds) => holds(record));
    return (record) => filters.some((holds) => holds(record)) === (field === '$or');
  }
  if (refused.includes(field)) throw input(`rollcall/testing cannot be asked for ${field}`);
  const isBare = typeof asked !== 'object' || asked === null || Array.isArray(asked);
  const tests = Object.entries(isBare ? { $eq: asked } : (asked as Fields)).map(([operator, given]): Holds => {
    const passes = operator === '$eq' && SETS.includes(field) ? sameSet : OPERATORS[operator];
    if (!passes) throw input(`rollcall/testing does not know ${operator}`);
    if ((operator === '$in' || operator === '$nin') && !Array.isArray(given)) throw input(`${operator} takes a list`);
    const operand = operator === '$exists' ? given : Array.isArray(given) ? given.map((one) => comparable(field, one)) : comparable(field, given);
    return (record) => {
      const value = at(record, field);
      return value === undefined ? passesAbsent(operator, operand) : passes(comparable(field, value), operand);
    };
  });
  return (record) => tests.every((passes) => passes(record));
}

/** As the protocol writes a sort. */
export type Sort = readonly { field: string; direction: 1 | -1 }[];

/** Compares two records as a sort says; what has no such field comes last. */
export function sorted(sort: Sort): (a: Fields, b: Fields) => number {
  return (a, b) => {
    for (const { field, direction } of sort) {
      const [left, right] = [at(a, field), at(b, field)].map((value) => (value === undefined ? value : comparable(field, value))) as [any, any];
      if (left === right) continue;
      if (left === undefined || right === undefined) return left === undefined ? 1 : -1;
      return left < right ? -direction : direction;
    }
    return 0;
  };
}
