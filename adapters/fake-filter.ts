// Whom a filter means and in which order, for the client of `rollcall/testing`: as the server has it.

import { problem } from './fake-client.ts';

type Fields = Record<string, unknown>;
type Holds = (user: Fields) => boolean;

/** Fields that no filter may ask for: only the user themselves, or only the moment, knows them. */
const HIDDEN = ['online', 'invisible', 'privacy_settings', 'revoke_tokens_issued_before'];
const TIMES = ['created_at', 'updated_at', 'last_active'];

/** What is at a path of fields. */
const at = (user: Fields, path: string): unknown =>
  path.split('.').reduce<unknown>((value, field) => (Object(value) as Fields)[field], user);

/** What compares like the field does: times as numbers. */
const comparable = (path: string, value: unknown): unknown => (TIMES.includes(path) ? Date.parse(String(value)) : value);

/** Lower case, the words parted by one space and led by one: what a search looks in. */
const words = (text: unknown): string => ` ${String(text).toLowerCase().split(/[\s!-/:-@[-`{-~]+/).filter(Boolean).join(' ')}`;

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
const sameSet = (a: unknown, b: unknown): boolean =>
  Array.isArray(a) && Array.isArray(b) ? same([...a].sort(), [...b].sort()) : same(a, b);

/** By operator, whether a value that is there passes. */
const OPERATORS: Record<string, (value: any, operand: any) => boolean> = {
  $eq: sameSet,
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

/** Whether somebody of whom the field is absent passes. */
const passesAbsent = (operator: string, operand: unknown): boolean =>
  operator === '$exists' ? operand === false : operator === '$ne' || operator === '$nin';

/** What a filter says, as a question about one user. Throws for what it does not understand. */
export function matching(filter: Fields): Holds {
  const conditions = Object.entries(filter).map(([field, asked]) => condition(field, asked));
  return (user) => conditions.every((holds) => holds(user));
}

function condition(field: string, asked: unknown): Holds {
  if (field === '$and' || field === '$or' || field === '$nor') {
    const filters = (asked as Fields[]).map(matching);
    if (field === '$and') return (user) => filters.every((holds) => holds(user));
    return (user) => filters.some((holds) => holds(user)) === (field === '$or');
  }
  if (HIDDEN.includes(field)) throw refused(`${field} cannot be asked for`);
  const isBare = typeof asked !== 'object' || asked === null || Array.isArray(asked);
  const tests = Object.entries(isBare ? { $eq: asked } : (asked as Fields)).map(([operator, given]): Holds => {
    const passes = OPERATORS[operator];
    if (!passes) throw refused(`rollcall/testing does not know ${operator}`);
    if ((operator === '$in' || operator === '$nin') && !Array.isArray(given)) throw refused(`${operator} takes a list`);
    const operand = operator === '$exists' ? given : Array.isArray(given) ? given.map((one) => comparable(field, one)) : comparable(field, given);
    return (user) => {
      const value = at(user, field);
      return value === undefined ? passesAbsent(operator, operand) : passes(comparable(field, value), operand);
    };
  });
  return (user) => tests.every((passes) => passes(user));
}

/** As the server refuses what it does not understand. */
const refused = (reason: string) => Object.assign(problem(4, `client.queryUsers: ${reason}`), { status: 400 });

/** Compares two users as a sort says; who has no such field comes last. */
export function sorted(sort: unknown): (a: Fields, b: Fields) => number {
  const fields = [sort ?? {}].flat().flatMap((part) => Object.entries(part as Record<string, 1 | -1>));
  return (a, b) => {
    for (const [field, direction] of fields) {
      const [left, right] = [at(a, field), at(b, field)].map((value) => (value === undefined ? value : comparable(field, value))) as [any, any];
      if (left === right) continue;
      if (left === undefined || right === undefined) return left === undefined ? 1 : -1;
      return left < right ? -direction : direction;
    }
    return 0;
  };
}
