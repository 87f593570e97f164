import type { PresenceError } from 'rollcall';

/** What went wrong, in words that help the person in front of the page. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  switch ((error as PresenceError).code) {
    case 'network':
      return 'The server cannot be reached.';
    case 'timeout':
      return 'The server did not answer in time.';
    case 'not_connected':
    case 'disconnected':
      return 'You are not connected.';
    case 2:
      return 'This server does not know the demo’s API key: it was started with a key of its own.';
    case 5:
    case 40:
    case 41:
    case 42:
    case 43:
      return `The server refused to sign you in: ${error.message} (The demo needs a server started with --dev-tokens.)`;
    case 71:
      return 'You are connected too many times: close some of your other windows.';
    default:
      return error.message;
  }
}
