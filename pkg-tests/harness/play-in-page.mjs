// Plays the stories about the official SDK in a page. What they need of Node, they ask of `window.ask`.

import { chapters } from '../sdk/chapters.mjs';
import { Keeper } from './keeper.mjs';
import { SdkStage } from './sdk-stage.mjs';

/** Something in Node, whose methods answer from there; those in `here` are in the page. */
const remote = (target, here = {}) =>
  new Proxy(here, {
    get: (_, method) => {
      if (method === 'then' || method in here) return here[method];
      return async (...args) => {
        const { value, error } = await window.ask(target, method, args);
        if (error) throw Object.assign(new Error(error.message), error);
        return value;
      };
    },
  });

/** Plays a story; tells what was kept on the way, and how it failed. */
export async function play(chapter, name, server) {
  const kept = [];
  const stage = new SdkStage({
    server,
    admin: remote(['admin'], { channel: (...which) => remote(['channel', which]) }),
    backstage: remote(['backstage']),
    keeper: new Keeper((thing) => kept.push(thing)),
  });
  const { stories } = chapters.find((other) => other.name === chapter);
  const failure = await stage.play(stories.find((story) => story.name === name)).then(
    () => null,
    (error) => error?.stack ?? String(error),
  );
  return { kept, failure };
}
