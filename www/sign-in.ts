import { draw } from './avatar';
import { find } from './dom';
import { idOf, SUGGESTIONS } from './names';
import { addressFor } from './visitor';

/** The picker: choosing somebody leads to their address, so that back, reload and bookmarks work. */
export function offerSignIn(): void {
  const page = find('main.sign-in');
  const form = find<HTMLFormElement>('form', page);
  const name = find<HTMLInputElement>('[name="name"]', form);
  const invisible = find<HTMLInputElement>('[name="invisible"]', form);

  const links = SUGGESTIONS.map((suggestion) => {
    const link = document.createElement('a');
    const portrait = document.createElement('span');
    portrait.className = 'portrait';
    portrait.ariaHidden = 'true';
    draw(portrait, idOf(suggestion), suggestion);
    link.append(portrait, suggestion);
    return link;
  });
  const point = () => {
    links.forEach((link, at) => (link.href = addressFor(SUGGESTIONS[at] ?? '', invisible.checked)));
  };
  point();
  invisible.addEventListener('change', point);
  find('.suggestions', page).replaceChildren(
    ...links.map((link) => {
      const item = document.createElement('li');
      item.append(link);
      return item;
    }),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const chosen = name.value.trim();
    if (chosen) location.assign(addressFor(chosen, invisible.checked));
  });
  page.hidden = false;
}
