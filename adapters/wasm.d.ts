/**
 * The same client as `rollcall`, for those who serve the WebAssembly as a file of its own: it is
 * compiled while it is downloaded, and no text for the JavaScript engine to read.
 *
 * As for `rollcall`, a content security policy has to allow `'wasm-unsafe-eval'` in `script-src`,
 * and here the file's address in `connect-src`; nothing more.
 *
 * @packageDocumentation
 *
 * @example
 * import { init, PresenceClient } from 'rollcall/wasm';
 *
 * await init('/assets/rollcall.wasm');
 * const client = new PresenceClient(apiKey, { baseURL });
 */

export * from 'rollcall';

/**
 * Where the WebAssembly comes from: an address, an answer, or the thing itself.
 *
 * @example
 * const source: WasmSource = fetch('/assets/rollcall.wasm');
 * await init(source);
 */
export type WasmSource = string | URL | Request | Response | PromiseLike<Response> | BufferSource | WebAssembly.Module;

/**
 * Loads the WebAssembly. Before that, `new PresenceClient` throws with code `not_initialized`.
 * Called again, it does nothing; after it failed, it tries again.
 *
 * Rejects with code `invalid_argument` without a source, and with what `fetch` or `WebAssembly`
 * rejects with when the file cannot be loaded.
 *
 * Node fetches no file by its address: give it the bytes, `await readFile(path)`.
 *
 * @param source The package's `rollcall.wasm`: exported as `rollcall/rollcall.wasm`.
 *
 * @example
 * // As Vite says it.
 * import url from 'rollcall/rollcall.wasm?url';
 * import { init, PresenceClient } from 'rollcall/wasm';
 *
 * await init(url);
 * const client = new PresenceClient(apiKey, { baseURL });
 */
export declare function init(source: WasmSource): Promise<void>;
