// What a story about the official SDK plays on, in Node or in a page: its people's clients are
// where it is, its backend and its server are in Node.

import { Here } from './person.mjs';

export class SdkStage {
  #leaving = [];
  #backstage;
  #keeper;

  /**
   * @param {object} parts
   * @param {{ key: string, url: string }} parts.server Where to connect.
   * @param parts.admin The SDK with the secret, as an application's backend uses it.
   * @param {import('./backstage.mjs').Backstage} parts.backstage
   * @param {import('./keeper.mjs').Keeper} parts.keeper Keeps what is called, answered and heard.
   */
  constructor({ server, admin, backstage, keeper }) {
    this.server = server;
    this.admin = admin;
    this.#backstage = backstage;
    this.#keeper = keeper;
  }

  /** A token as the application would give it; `claims` are further ones, `secret` somebody else's. */
  token(id, claims, secret) {
    return this.#backstage.token(id, claims, secret);
  }

  /** Brings somebody on. `options` are the SDK's; `baseURL` may be that of a gateway, `key` another API key. */
  person(id, { key = this.server.key, ...options } = {}) {
    const server = { key, url: this.server.url, token: (id) => this.token(id) };
    const person = new Here(id, server, { keeper: this.#keeper, ...options });
    this.#leaving.push(() => person.end());
    return person;
  }

  /** The same for many, who connect at once. */
  async people(...ids) {
    const people = ids.map((id) => this.person(id));
    await Promise.all(people.map((person) => person.connect()));
    return people;
  }

  /** A network that lets no WebSocket through, between an app and the server. */
  async gateway() {
    const backstage = this.#backstage;
    return {
      url: await backstage.openGateway(),
      holdPolls: () => backstage.holdPolls(),
      passPolls: () => backstage.passPolls(),
    };
  }

  /** Ends the server, in order. */
  stop() {
    return this.#backstage.stop();
  }

  /** Ends the server as a power cut would. */
  kill() {
    return this.#backstage.kill();
  }

  /** Starts it again. */
  start() {
    return this.#backstage.start();
  }

  /** Plays a story to its end, when all people leave. */
  async play(story) {
    try {
      await story.play(this);
    } finally {
      for (const leave of this.#leaving.reverse()) await leave();
    }
  }
}
