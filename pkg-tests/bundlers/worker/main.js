const settings = JSON.parse(decodeURIComponent(location.hash.slice(1)));
const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
worker.onmessage = ({ data }) => (document.querySelector('#result').textContent = data);
worker.postMessage(settings);
