// The page of most projects; copied beside their own files, as `main.js`.

import { watchJack } from './app.js';

const result = document.querySelector('#result');
const say = (text) => (result.textContent = text);
const settings = JSON.parse(decodeURIComponent(location.hash.slice(1)));
watchJack(settings, say).catch((error) => say(String(error.stack)));
