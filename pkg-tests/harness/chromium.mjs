// Starting Chromium: the one that CHROMIUM names, or that is on PATH.

import { chromium } from 'playwright-core';
import { required } from '../../scripts/browsers.mjs';

export const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function launchChromium(options) {
  return chromium.launch({ executablePath: required('CHROMIUM'), args: FLAGS, ...options });
}
