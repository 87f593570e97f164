import { idOf, nameOf } from './names';
import { isWayName, type WayName } from './ways';

/** Who opened this page, as its address says. */
export interface Visitor {
  id: string;
  /** A name to take when the server knows none yet. */
  name: string;
  /** Come in hidden from everyone else. Absent: as they were last time. */
  invisible?: true;
  /** How the board is to watch. */
  way: WayName;
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
  const given = address.searchParams.get('way');
  const way = isWayName(given) ? given : 'everybody';
  return address.searchParams.get('invisible') === 'true' ? { id, name, way, invisible: true } : { id, name, way };
}

/** Leaves in the address who visits and how they watch: a reload must not take back what was changed since. */
export function settleAddress(id: string, way: WayName): void {
  history.replaceState(null, '', `?${new URLSearchParams({ user: id, ...(way !== 'everybody' && { way }) })}`);
}
