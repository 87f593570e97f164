// The way from this side to Rust's, which cannot be imported: whoever loads the wasm sets it.

/** @import { Engine as Rust } from '../../target/wasm-pack/glue.js' */
/** @typedef {Rust} Engine */

/** Takes a while where the wasm is compiled first. @type {() => Engine} */
export let makeEngine;

/** @param {() => Engine} make */
export function setEngine(make) {
  makeEngine = make;
}

/**
 * The engine, for somebody who asks how things are now: where timers are slowed down it may not
 * have looked at the time for a while. Listeners hear of it after the asker.
 * @param {Engine} engine
 */
export function upToDate(engine) {
  if (engine.catchUp()) queueMicrotask(() => engine.pump());
  return engine;
}
