// The network between a browser and the server, in the hands of the test: it loses, holds back,
// goes dead without a word, resets, refuses, or takes every connection and says nothing.

import { connect, createServer } from 'node:net';

/** What becomes of the bytes of one direction of one connection. */
const PASS = 'pass';
const HOLD = 'hold';
const DROP = 'drop';

/** What becomes of somebody who connects. */
const REFUSE = 'refuse';
const SILENCE = 'silence';

/** One direction: from `source`, of what has arrived, to `target`. */
class Flow {
  #mode = PASS;
  #latency = 0;
  #queue = [];
  #timer;

  constructor(source, target) {
    source.on('data', (chunk) => this.#take(() => target.write(chunk)));
    // The end of a connection is subject to what the network does, as its bytes are.
    source.on('end', () => this.#take(() => target.end()));
    source.on('error', () => this.#take(() => target.resetAndDestroy()));
    target.on('close', () => this.set(DROP));
  }

  set(mode, latency = 0) {
    // What was lost stays lost, and nothing after it can be delivered: TCP has no gaps.
    if (this.#mode === DROP) return;
    this.#mode = mode;
    this.#latency = latency;
    if (mode === DROP) this.#queue = [];
    this.#deliver();
  }

  #take(deliver) {
    if (this.#mode === DROP) return;
    this.#queue.push({ due: Date.now() + this.#latency, deliver });
    this.#deliver();
  }

  #deliver() {
    clearTimeout(this.#timer);
    if (this.#mode !== PASS) return;
    while (this.#queue[0]?.due <= Date.now()) this.#queue.shift().deliver();
    if (this.#queue.length) this.#timer = setTimeout(() => this.#deliver(), this.#queue[0].due - Date.now());
  }
}

export class FaultProxy {
  #server;
  #target;
  #port = 0;
  #links = new Set();
  #entrance = PASS;
  #latency = 0;
  #waiting = new Set();

  /** A network that works, in front of the server at `url`. */
  static async open(url) {
    const proxy = new FaultProxy();
    const { hostname, port } = new URL(url);
    proxy.#target = { host: hostname === 'localhost' ? '127.0.0.1' : hostname, port: Number(port) };
    await proxy.#listen();
    proxy.url = `http://127.0.0.1:${proxy.#port}`;
    return proxy;
  }

  /**
   * From now on the connections there are deliver nothing, up (to the server), down, or both, and
   * neither side is told: half-open. New ones are not concerned.
   */
  lose({ up = true, down = true } = {}) {
    for (const link of this.#links) {
      if (up) link.up.set(DROP);
      if (down) link.down.set(DROP);
    }
  }

  /** What is sent waits, the end of a connection included, until `heal`. New connections wait too. */
  hold() {
    this.#everywhere(HOLD);
  }

  /** Everything takes so many milliseconds longer, each way. */
  delay(milliseconds) {
    this.#everywhere(PASS, milliseconds);
  }

  /** The connections there are end as they do when the other machine crashed and came back. */
  reset() {
    for (const { near, far } of this.#links) {
      near.resetAndDestroy();
      far?.resetAndDestroy();
    }
  }

  /** New connections are refused. */
  async refuse() {
    this.#entrance = REFUSE;
    await new Promise((resolve) => {
      this.#server.close();
      // `close` waits for the connections too; the port is given up at once.
      setImmediate(resolve);
    });
  }

  /** New connections are accepted and hear nothing, as in a network that wants a login first. */
  silence() {
    this.#entrance = SILENCE;
  }

  /** Nothing gets through any more, and nobody is told. */
  partition() {
    this.lose();
    this.silence();
  }

  /** New connections work again, and what was held is delivered. What was lost stays lost. */
  async heal() {
    if (this.#entrance === REFUSE) await this.#listen();
    this.#everywhere(PASS);
  }

  /** Resolves when somebody connects, whatever becomes of it. */
  attempt() {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  async close() {
    this.#server.close();
    for (const { near, far } of this.#links) {
      near.destroy();
      far?.destroy();
    }
  }

  async #listen() {
    this.#server = createServer({ allowHalfOpen: true }, (near) => this.#accept(near));
    await new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = this.#server.address().port;
  }

  #accept(near) {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
    near.on('error', () => {});
    if (this.#entrance === SILENCE) {
      // Read and thrown away: unread, its end would not be noticed.
      const link = { near, far: null };
      this.#links.add(link);
      near.resume();
      near.on('close', () => this.#links.delete(link));
      return;
    }
    const far = connect({ ...this.#target, allowHalfOpen: true });
    near.setNoDelay();
    far.setNoDelay();
    const link = { near, far, up: new Flow(near, far), down: new Flow(far, near) };
    this.#links.add(link);
    let open = 2;
    for (const side of [near, far]) side.on('close', () => --open || this.#links.delete(link));
    link.up.set(this.#entrance, this.#latency);
    link.down.set(this.#entrance, this.#latency);
  }

  #everywhere(mode, latency = 0) {
    this.#entrance = mode;
    this.#latency = latency;
    for (const { up, down } of this.#links) {
      up?.set(mode, latency);
      down?.set(mode, latency);
    }
  }
}
