/** People to be, so that nobody has to think of a name. */
export const SUGGESTIONS = ['John', 'Jack', 'Jill', 'Amina', 'Mateo', 'Sofia'];

/** The id a name stands for: what the protocol allows, letters, digits, `@`, `_` and `-`. */
export function idOf(name: string): string {
  const plain = name.normalize('NFKD').replace(/\p{Mark}/gu, '').trim().toLowerCase();
  const id = plain.replace(/[^a-z0-9@_-]+/g, '-').replace(/^-+|-+$/g, '');
  // A name in another script keeps its own id, spelt by its code points.
  return id || [...plain].map((letter) => letter.codePointAt(0)?.toString(36)).join('-');
}

/** The name an id stands for. */
export const nameOf = (id: string) => SUGGESTIONS.find((name) => idOf(name) === id) ?? id;
