// What the server said to the official SDK, kept to be checked against the types that the SDK
// itself declares: a `.ts` file is written of it, and `tsc --strict` reads that.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../scripts/shell.mjs';

const HEAD = `import type { Channel, Event, StreamChat } from 'stream-chat';

type Reply<T, M extends keyof T> = T[M] extends (...args: never[]) => infer R ? Awaited<R> : never;

// The fields of their own that these tests give to users, channels, members, messages and events;
// and what the service sends though these types leave it out.
declare module 'stream-chat' {
  interface CustomUserData { invisible?: boolean; mutes?: unknown[]; status?: string; pets?: Record<string, string>; color?: string }
  interface CustomChannelData { color?: string; floor?: number; name?: string }
  interface CustomMemberData { nick?: string }
  interface CustomMessageData { mood?: string }
  interface CustomEventData { delete_conversation_channels?: boolean; hands?: number; from?: string }
  interface CustomEventTypes { waving: true; friendship_requested: true }
}
`;

/** Events the SDK makes itself. */
const LOCAL = new Set(['capabilities.changed', 'channels.queried', 'connection.changed', 'connection.recovered', 'transport.changed']);

export class Replies {
  #lines = [];
  #methods = new Set();
  #events = new Set();

  /** `client` or `channel`, of which every reply is kept from now on. */
  of(target, type) {
    return new Proxy(target, {
      get: (_, method) => {
        const member = target[method];
        if (typeof member !== 'function') return member;
        return (...args) => {
          const result = member.apply(target, args);
          if (!(result instanceof Promise)) return result;
          return result.then((value) => {
            if (isPlain(value)) this.#keep(method, `Reply<${type}, '${method}'>`, value, this.#methods);
            return value;
          });
        };
      },
    });
  }

  /** Keeps every event that `client` hears. */
  listen(client) {
    client.on(({ received_at, ...event }) => {
      if (!LOCAL.has(event.type)) this.#keep(event.type, 'Event', event, this.#events);
    });
  }

  #keep(name, type, value, names) {
    names.add(name);
    this.#lines.push(`export const _${this.#lines.length}: ${type} = ${JSON.stringify(value)};`);
  }

  /** Fails unless all that was kept has its declared type, and these methods and events were among it. */
  async check({ methods, events }) {
    assert.deepEqual(methods.filter((name) => !this.#methods.has(name)), [], 'methods of which no reply was seen');
    assert.deepEqual(events.filter((name) => !this.#events.has(name)), [], 'events of which none was seen');

    const folder = await mkdtemp(join(tmpdir(), 'rollcall-replies-'));
    try {
      await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
      await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
      await writeFile(join(folder, 'replies.ts'), HEAD + this.#lines.join('\n'));
      const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
      const settings = ['--strict', '--noEmit', '--skipLibCheck', '--target', 'es2022', '--lib', 'es2023,dom', '--types', 'node'];
      const resolution = ['--module', 'esnext', '--moduleResolution', 'bundler'];
      const { status, stdout } = spawnSync(process.execPath, [tsc, ...settings, ...resolution, 'replies.ts'], { cwd: folder, encoding: 'utf8' });
      assert.equal(status, 0, this.#explain(stdout));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** What tsc found, with the reply that each line of it is about. */
  #explain(found) {
    const first = HEAD.split('\n').length;
    return found
      .split('\n')
      .map((line) => {
        const at = line.match(/^replies\.ts\((\d+),/);
        return at ? `${line}\n    ${this.#lines[Number(at[1]) - first]?.slice(0, 2000)}` : line;
      })
      .join('\n');
  }
}

const isPlain = (value) =>
  typeof value === 'object' && value !== null && [Object.prototype, Array.prototype].includes(Object.getPrototypeOf(value)) &&
  !(Array.isArray(value) && value.some((item) => !isPlain(item)));
