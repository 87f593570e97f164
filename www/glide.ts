const calm = matchMedia('(prefers-reduced-motion: reduce)');
const MILLISECONDS = 260;

/** Does `work`, which may move `elements`, and has each of them glide to its new place. */
export function glide(elements: Iterable<HTMLElement>, work: () => void): void {
  if (calm.matches || document.hidden) return work();
  const before = [...elements].filter((element) => element.isConnected).map((element) => ({ element, place: placeOf(element) }));
  work();
  for (const { element, place } of before) {
    const now = placeOf(element);
    const [x, y] = [place.left - now.left, place.top - now.top];
    if (!element.isConnected || (x === 0 && y === 0)) continue;
    element.animate([{ transform: `translate(${x}px, ${y}px)` }, { transform: 'none' }], { duration: MILLISECONDS, easing: 'ease-out' });
  }
}

/** Where it stands, whatever scrolled and even while it is still on its way there. */
function placeOf(element: HTMLElement): { left: number; top: number } {
  return { left: element.offsetLeft, top: element.offsetTop };
}
