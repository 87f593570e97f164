// A network that lets no WebSocket through, as some companies' do, and that may hold up a poll.

import { createServer, request as ask } from 'node:http';

const isPoll = ({ url }) => url.startsWith('/longpoll?') && url.includes('connection_id=') && !url.includes('close=');

export class Gateway {
  #server;
  #upstream;
  /** Polls that the server is asked: what was asked, by whom, and the request to the server. */
  #polls = new Set();
  /** Polls that are held up; null while none is to be. */
  #held = null;

  /** Opens one before the server at the address `upstream`. */
  static async open(upstream) {
    const gateway = new Gateway();
    gateway.#upstream = upstream;
    gateway.#server = createServer((request, response) => gateway.#take(request, response));
    gateway.#server.on('upgrade', (_, socket) => socket.end('HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n'));
    await new Promise((resolve) => gateway.#server.listen(0, '127.0.0.1', resolve));
    gateway.url = `http://127.0.0.1:${gateway.#server.address().port}`;
    return gateway;
  }

  #take(request, response) {
    const call = { request, response };
    if (this.#held && isPoll(request)) this.#held.add(call);
    else this.#pass(call);
  }

  #pass(call) {
    const { method, url, headers } = call.request;
    const passed = ask(`${this.#upstream}${url}`, { method, headers }, (answer) => {
      call.response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(call.response);
    });
    call.hangUp = () => passed.destroy();
    if (isPoll(call.request)) this.#polls.add(call);
    passed.on('close', () => this.#polls.delete(call));
    passed.on('error', () => this.#held?.has(call) || call.response.destroy());
    call.response.on('close', call.hangUp);
    call.request.pipe(passed);
  }

  /** Takes the polls off the server: to it their clients have hung up, while these wait on. */
  holdPolls() {
    this.#held = new Set(this.#polls);
    for (const { hangUp } of this.#held) hangUp();
  }

  /** Lets the polls through again, those that were held up first. */
  passPolls() {
    const held = this.#held;
    this.#held = null;
    for (const call of held) this.#pass(call);
  }

  close() {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(resolve));
  }
}
