// What goes wrong, as the `Error` that an app catches.

/** @import { PresenceError, PresenceErrorCode } from '../../types/rollcall.js' */

/** The words among the codes that may not come again. */
const PASSING = ['timeout', 'network', 'token_provider'];

/**
 * @param {PresenceErrorCode} code
 * @param {string} message
 * @param {object} [more]
 * @returns {PresenceError}
 */
export function error(code, message, more) {
  const retryable = PASSING.includes(/** @type {string} */ (code));
  return Object.assign(new Error(message), { name: /** @type {const} */ ('PresenceError'), code, retryable }, more);
}

/** @param {string} message */
export const invalid = (message) => error('invalid_argument', message);

/** @param {string} call */
export const notConnected = (call) =>
  error('not_connected', `${call} needs a connected user: await client.connectUser(user, token) first`);

export const disconnected = () =>
  error('disconnected', 'the client was disconnected by disconnectUser(); connect again to go on');

/** @param {string} reason */
export const unreachable = (reason) =>
  error('network', `the server could not be reached (${reason}); check baseURL and the network`);

/** No attempt to connect was answered. */
export const notAccepted = () => error('timeout', 'the server did not accept the connection in time');

/**
 * The socket was closed; with 1006 it was never open.
 * @param {number} code
 */
export const closed = (code) =>
  error(
    'network',
    code === 1006
      ? 'the server could not be reached; check baseURL and the network'
      : `the server closed the connection with code ${code}`,
  );

/** @param {string} baseURL */
export const notOpened = (baseURL) =>
  invalid(
    globalThis.WebSocket
      ? `baseURL \`${baseURL}\` is not an address a socket can open`
      : 'there is no WebSocket here: use a browser, a worker, or Node 22 or later',
  );

/**
 * The error that a server described, in a reply's body or in an error frame.
 * @param {any} body
 * @param {number | undefined} status of HTTP
 * @param {boolean} retryable what the protocol says of the code
 * @param {number} [retryAfter] seconds; not a number when the server named none
 */
export function fromServer(body, status, retryable, retryAfter = NaN) {
  let { code, message, StatusCode } = Object(body);
  if (typeof StatusCode === 'number') status = StatusCode;
  if (typeof code !== 'number') {
    // Not the protocol's shape: a proxy answered, or this is no presence server.
    code = -1;
    message = `the server answered${status ? ` with status ${status}` : ''} and no error the protocol knows; check baseURL`;
  }
  return error(code, typeof message === 'string' ? message : '', {
    retryable,
    ...(status && { status }),
    ...(retryAfter >= 0 && { retryAfter }),
  });
}
