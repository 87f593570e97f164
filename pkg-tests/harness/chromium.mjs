// Starting Chromium: the one that CHROMIUM names, or that is on PATH.

import { chromium } from 'playwright-core';
import { which } from '../../scripts/shell.mjs';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function launchChromium() {
  const executablePath = process.env.CHROMIUM ?? which('chromium', 'chromium-browser', 'google-chrome', 'chrome');
  if (!executablePath) throw new Error('no Chromium: install it, or set CHROMIUM to where it is');
  return chromium.launch({ executablePath, args: FLAGS });
}
