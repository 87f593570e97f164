/** Draws somebody's initials on a colour of their own, with the dot that tells their presence. */
export function draw(portrait: HTMLElement, id: string, name: string): void {
  portrait.style.setProperty('--hue', String(hueOf(id)));
  const dot = document.createElement('span');
  dot.className = 'dot';
  portrait.replaceChildren(initials(name), dot);
}

/** `Mary Ann Lee` → `ML`, `jack` → `Ja`: two letters tell Jack from Jill. */
function initials(name: string): string {
  const words = name.split(/[\s_@.-]+/).filter(Boolean).map((word) => [...word]);
  const first = words[0] ?? [...name];
  const second = words.length > 1 ? words[words.length - 1]?.[0]?.toUpperCase() : first[1];
  return (first[0] ?? '').toUpperCase() + (second ?? '');
}

/** The same hue for the same id on every page; neighbours in spelling are far apart in colour. */
function hueOf(id: string): number {
  let hash = 0;
  for (const letter of id) hash = (Math.imul(hash, 31) + (letter.codePointAt(0) ?? 0)) | 0;
  // Multiples of the golden angle spread evenly round the circle.
  return Math.round((Math.abs(hash) * 137.508) % 360);
}
