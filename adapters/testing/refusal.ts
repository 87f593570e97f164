// What the server of `rollcall/testing` refuses, as the protocol says it.

/** An error of the protocol; `retryable` is what the real client makes of its code. */
export class Refusal extends Error {
  constructor(
    readonly code: number,
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** What was sent cannot be understood, or cannot be done. */
export const input = (message: string) => new Refusal(4, 400, message);
export const notFound = (message: string) => new Refusal(16, 404, message);
export const notAllowed = (message: string) => new Refusal(17, 403, message);
