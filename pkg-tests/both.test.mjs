// Both SDKs on one server: what one does, the other sees.

import { describe, test } from 'node:test';
import { newStage } from './harness/stage.mjs';
import { scenes } from './scenes.mjs';

for (const [watcher, actor] of [
  ['rollcall', 'stream-chat'],
  ['stream-chat', 'rollcall'],
]) {
  describe(`${watcher} sees what ${actor} does`, () => {
    for (const { name, grace, play } of scenes) {
      test(name, async (t) => play(await newStage(t, { grace }), { watcher, actor }));
    }
  });
}
