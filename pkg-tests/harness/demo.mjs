// The demo page of a server of its own, and those who visit it.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/shell.mjs';
import { newStage } from './stage.mjs';

const www = join(root, 'www', 'dist');

/** A stage whose server has the demo page; see `Visitor.open` for who comes. */
export function demoStage(t, grace) {
  assert.ok(existsSync(join(www, 'index.html')), 'www/dist is missing: run `npm run build`');
  return newStage(t, { grace, key: 'rollcall-demo', flags: ['--dev-tokens', '--www', www] });
}
