import { flushSync, mount, unmount } from 'svelte';
import { writable } from 'svelte/store';
import App from './App.svelte';
import { run } from './page.mjs';

run((client, target) => {
  const ids = writable([]);
  const app = mount(App, { target, props: { client, ids } });
  flushSync();
  return {
    show(list) {
      ids.set(list);
      flushSync();
    },
    unmount: () => unmount(app),
  };
});
