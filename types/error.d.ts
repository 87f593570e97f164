/**
 * Why something failed. A number comes from the protocol (4: the request is malformed; 5 and
 * 40–43: the token; 16: not found; 17: not allowed; …); a word is the client's own:
 *
 * - `not_connected`: call `connectUser` first.
 * - `already_connected`: another user is connected; call `disconnectUser` first.
 * - `invalid_argument`: the message names the argument and what it should be.
 * - `token_mismatch`: the token is for another user.
 * - `token_provider`: your token provider failed; `cause` is what it threw.
 * - `disconnected`: `disconnectUser` was called meanwhile.
 * - `timeout`, `network`: the server did not answer, or could not be reached.
 * - `aborted`: your `AbortSignal` ended it.
 * - `not_initialized`: `rollcall/wasm` only; await its `init` first.
 *
 * The guide on troubleshooting says of each what to do.
 *
 * @example
 * const signInAgain = (code: PresenceErrorCode) => code === 5 || code === 43 || code === 'token_mismatch';
 */
export type PresenceErrorCode =
  | number
  | 'not_connected'
  | 'already_connected'
  | 'invalid_argument'
  | 'token_mismatch'
  | 'token_provider'
  | 'disconnected'
  | 'timeout'
  | 'network'
  | 'aborted'
  | 'not_initialized';

/**
 * What every promise of this package rejects with, and what misuse throws.
 *
 * @example
 * await client.upsertUser({ id: 'jill', status: 'Lunch' }).catch((error: PresenceError) => {
 *   if (error.retryable) console.log(`try again in ${error.retryAfter ?? 1} s`);
 *   else console.error(error.code, error.message);
 * });
 */
export interface PresenceError extends Error {
  /** Tells it apart from other errors. */
  name: 'PresenceError';
  /** Why; what to do is decided by it. */
  code: PresenceErrorCode;
  /** The HTTP status, when a server answered. */
  status?: number;
  /** Whether the same call may succeed later. */
  retryable: boolean;
  /** Seconds to wait before it, when the server said so. */
  retryAfter?: number;
}
