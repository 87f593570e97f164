// Keeps what the official SDK was asked, what it answered and what it heard.

/** Events the SDK makes itself. */
const LOCAL = new Set(['capabilities.changed', 'channels.queried', 'connection.changed', 'connection.recovered', 'transport.changed']);

export class Keeper {
  /** @param {(kept: { subject: string, name: string, json?: string }) => void} keep Gets each thing as it comes. */
  constructor(keep) {
    this.keep = keep;
  }

  /** A client or channel as it is, except that calls of it, and of its channels, are kept with their replies. */
  of(target, subject) {
    return new Proxy(target, {
      get: (_, name) => {
        const member = target[name];
        if (typeof member !== 'function') return member;
        return (...args) => {
          this.keep({ subject, name });
          const result = member.apply(target, args);
          if (name === 'channel') return this.of(result, 'Channel');
          if (!(result instanceof Promise)) return result;
          return result.then((value) => {
            if (isPlain(value)) this.keep({ subject, name, json: JSON.stringify(value) });
            return value;
          });
        };
      },
    });
  }

  /** Keeps every event that `client` hears. */
  listen(client) {
    client.on(({ received_at, ...event }) => {
      if (!LOCAL.has(event.type)) this.keep({ subject: 'Event', name: event.type, json: JSON.stringify(event) });
    });
  }
}

const isPlain = (value) =>
  typeof value === 'object' && value !== null && [Object.prototype, Array.prototype].includes(Object.getPrototypeOf(value)) &&
  !(Array.isArray(value) && value.some((item) => !isPlain(item)));
