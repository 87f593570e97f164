// A network in the hands of the test: sockets it opens and closes, requests it answers.
(() => {
  const { WebSocket, fetch, setTimeout, setInterval } = globalThis;
  const real = { WebSocket, fetch, setTimeout, setInterval };
  const clocks = { date: Date.now, performance: performance.now };
  const network = {
    sockets: [],
    requests: [],
    /** What requests are answered with, by path; a function of the payload, or a value. */
    answers: {},
    restore() {
      Object.assign(globalThis, real);
      Date.now = clocks.date;
      performance.now = clocks.performance;
    },
    clock: {
      /** How far the wall clock and the steady one are ahead of the real ones, in milliseconds. */
      wall: 0,
      steady: 0,
      /** How many timers were set. */
      set: 0,
      /** The delay of the timer that was set last. */
      next: undefined,
      /** Has that timer be due now. */
      fire: () => network.clock.last(),
      last: undefined,
    },
    get socket() {
      return network.sockets.at(-1);
    },
  };
  const waiting = [];
  const notify = () => waiting.splice(0).forEach((look) => look());
  /** Resolves once `condition` holds, looked at whenever something happens. */
  network.until = (condition) =>
    new Promise((resolve) => {
      const look = () => (condition() ? resolve() : waiting.push(look));
      look();
    });

  Date.now = () => clocks.date() + network.clock.wall;
  performance.now = () => clocks.performance.call(performance) + network.clock.steady;
  globalThis.setTimeout = (callback, delay, ...rest) => {
    Object.assign(network.clock, { set: network.clock.set + 1, next: delay, last: callback });
    return setTimeout(callback, delay, ...rest);
  };
  globalThis.setInterval = (...given) => {
    network.clock.set++;
    return setInterval(...given);
  };
  globalThis.WebSocket = class {
    static CLOSED = 3;
    sent = [];
    constructor(url) {
      this.url = new URL(url);
      network.sockets.push(this);
      queueMicrotask(notify);
    }
    send(text) {
      this.sent.push(text);
      notify();
    }
    close(code) {
      this.closed ??= code;
      queueMicrotask(() => this.onclose?.({ code }));
      notify();
    }
    /** The server says this. */
    say(value) {
      this.onmessage?.({ data: JSON.stringify(value) });
    }
    /** The server accepts the connection. */
    greet(me) {
      const id = `connection-${network.sockets.length}`;
      this.say({ type: 'health.check', connection_id: id, cid: '*', me });
    }
    /** The connection is lost. */
    lose(code = 1006) {
      this.closed ??= code;
      this.onclose?.({ code });
    }
  };
  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    const text = url.searchParams.get('payload') ?? (await request.text());
    const payload = text ? JSON.parse(text) : undefined;
    const { connection_id: connection = null, payload: _, ...query } = Object.fromEntries(url.searchParams);
    const headers = Object.fromEntries(request.headers);
    network.requests.push({ method: request.method, path: url.pathname, connection, query, headers, payload });
    notify();
    const answer = network.answers[url.pathname];
    const given = await (typeof answer === 'function' ? answer(payload, request) : (answer ?? {}));
    // What is in the way of the server answers with a page of its own.
    if (typeof given === 'string') return new Response(given);
    const { status = 200, answerHeaders, ...body } = given;
    return new Response(JSON.stringify(body), { status, headers: answerHeaders });
  };
  return network;
})();
