// What the README tells a newcomer to do works, in an empty clone.

import { test } from 'node:test';
import { FOLLOWING, followReadme } from '../scripts/readme.mjs';

test('the README can be followed to the letter', { skip: process.env[FOLLOWING] && 'it is being followed' }, () =>
  followReadme({ tests: false }),
);
