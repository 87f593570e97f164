// Stories about the official SDK. They know neither Node nor a browser, so that both can tell them.

export class Chapter {
  stories = [];

  constructor(name) {
    this.name = name;
  }

  /**
   * @param {string} name
   * @param {object} options Those of `Server.start`; and with `backend: true` nobody but the
   *   application's backend takes part, which no browser runs.
   * @param {(stage: import('./sdk-stage.mjs').SdkStage) => Promise<void>} play
   */
  story(name, options, play) {
    if (!play) return this.story(name, {}, options);
    this.stories.push({ name, options, play });
  }
}
