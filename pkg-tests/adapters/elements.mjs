import { setPresenceClient } from 'rollcall/elements';
import { run } from './page.mjs';

run((client, element) => {
  setPresenceClient(client);
  const banner = element.appendChild(document.createElement('p'));
  const { unsubscribe } = client.on('connection.state', ({ connection }) => (banner.dataset.connection = connection.state));
  const list = element.appendChild(document.createElement('ul'));
  return {
    show(ids) {
      while (list.children.length > ids.length) list.lastChild.remove();
      while (list.children.length < ids.length) list.append(document.createElement('presence-dot'));
      ids.forEach((id, at) => list.children[at].setAttribute('user', id));
    },
    unmount() {
      unsubscribe();
      element.replaceChildren();
    },
  };
});
