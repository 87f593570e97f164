/** Who opened this page, as its address says. */
export interface Visitor {
  id: string;
  /** A name to take when the server knows none yet. */
  name: string;
  /** Come in hidden from everyone else. Absent: as they were last time. */
  invisible?: true;
}

/** People to be, so that nobody has to think of a name. */
export const SUGGESTIONS = ['John', 'Jack', 'Jill', 'Amina', 'Mateo', 'Sofia'];

/** The id a name stands for: what the protocol allows, letters, digits, `@`, `_` and `-`. */
export function idOf(name: string): string {
  const plain = name.normalize('NFKD').replace(/\p{Mark}/gu, '').trim().toLowerCase();
  const id = plain.replace(/[^a-z0-9@_-]+/g, '-').replace(/^-+|-+$/g, '');
  // A name in another script keeps its own id, spelt by its code points.
  return id || [...plain].map((letter) => letter.codePointAt(0)?.toString(36)).join('-');
}

/** The address under which this page signs in as `name`. */
export function addressFor(name: string, invisible = false): string {
  const id = idOf(name);
  const query = new URLSearchParams({ user: id });
  if (nameOf(id) !== name) query.set('name', name);
  if (invisible) query.set('invisible', 'true');
  return `?${query}`;
}

/** Who the address says is visiting; null when it names nobody. */
export function readVisitor(address: URL): Visitor | null {
  const user = address.searchParams.get('user')?.trim();
  if (!user) return null;
  const isId = /^[\w@-]{1,255}$/.test(user);
  const id = isId ? user : idOf(user);
  const name = address.searchParams.get('name')?.trim() || (isId ? nameOf(id) : user);
  return address.searchParams.get('invisible') === 'true' ? { id, name, invisible: true } : { id, name };
}

/** Leaves only `?user=` in the address: a reload must not take back what was changed since. */
export function settleAddress(visitor: Visitor): void {
  history.replaceState(null, '', `?${new URLSearchParams({ user: visitor.id })}`);
}

const nameOf = (id: string) => SUGGESTIONS.find((name) => idOf(name) === id) ?? id;
