import { watchJack } from './app.js';

const say = (text) => postMessage(text);
onmessage = ({ data }) => watchJack(data, say).catch((error) => say(String(error.stack)));
