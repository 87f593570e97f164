/** The one element that `selector` finds; its absence is a mistake in index.html. */
export function find<E extends Element = HTMLElement>(selector: string, within: ParentNode = document): E {
  const found = within.querySelector<E>(selector);
  if (!found) throw new Error(`index.html has no ${selector}`);
  return found;
}

/** A fresh copy of what `<template id>` holds. */
export function copyOf(id: string): HTMLElement {
  const element = find<HTMLTemplateElement>(`template#${id}`).content.firstElementChild;
  return element?.cloneNode(true) as HTMLElement;
}

/** Writes only what differs, so that screen readers and animations see changes alone. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Makes `rows` the children of `list`, moving only those out of place: focus and scrolling stay. */
export function arrange(list: Element, rows: Iterable<Element>): void {
  let next = list.firstElementChild;
  for (const row of rows) {
    if (row === next) next = next.nextElementSibling;
    else list.insertBefore(row, next);
  }
  while (next) {
    const surplus = next;
    next = next.nextElementSibling;
    surplus.remove();
  }
}
