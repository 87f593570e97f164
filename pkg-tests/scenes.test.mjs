// The scenes through the packed package's API.

import { describe, test } from 'node:test';
import { newStage } from './harness/stage.mjs';
import { scenes } from './scenes.mjs';

describe('two people with the packed package', () => {
  for (const { name, grace, play } of scenes) {
    test(name, async (t) => play(await newStage(t, { grace }), { watcher: 'rollcall', actor: 'rollcall' }));
  }
});
