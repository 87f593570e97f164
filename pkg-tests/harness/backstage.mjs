// What a story about the official SDK needs done in Node, even when it plays in a page: signing
// tokens with the secret, a backend, a server to stop and start.

import { JWTUserToken } from 'stream-chat';
import { Gateway } from './gateway.mjs';

export class Backstage {
  #stage;
  #gateway;

  /** @param stage One of `newStage`. */
  constructor(stage) {
    this.#stage = stage;
  }

  token(id, claims = {}, secret = this.#stage.server.secret) {
    return JWTUserToken(secret, id, claims);
  }

  stop() {
    return this.#stage.server.stop();
  }

  kill() {
    return this.#stage.server.kill();
  }

  start() {
    return this.#stage.server.start();
  }

  async openGateway() {
    this.#gateway = await Gateway.open(this.#stage.server.url);
    this.#stage.defer(() => this.#gateway.close());
    return this.#gateway.url;
  }

  holdPolls() {
    this.#gateway.holdPolls();
  }

  passPolls() {
    this.#gateway.passPolls();
  }
}
