// What the server said to the official SDK, kept to be checked against the types that the SDK
// itself declares: a `.ts` file is written of it, and `tsc --strict` reads that.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../scripts/shell.mjs';

const HEAD = `import type { Channel, Event, RateLimitsInfo, RateLimitsMap, StreamChat } from 'stream-chat';

type Reply<T, M extends keyof T> = T[M] extends (...args: never[]) => infer R ? Awaited<R> : never;

// As declared, but that not every endpoint is named, only those asked for; and that these may be,
// which are younger than the declared names or ours.
type Limits = Partial<RateLimitsMap & Record<Younger, RateLimitsInfo>>;
type Younger = 'DeactivateUsers' | 'InspectPresence' | 'ReactivateUsers' | 'RestoreUsers' | 'UnreadCounts' | 'UpdateMemberPartial' | 'UsersById';
type RateLimits = { [F in keyof Reply<StreamChat, 'getRateLimits'>]: F extends 'duration' ? string : Limits };

// The fields of their own that these tests give to users, channels, members, messages and events;
// and what the service sends though these types leave it out.
declare module 'stream-chat' {
  interface CustomUserData { invisible?: boolean; mutes?: unknown[]; status?: string; pets?: Record<string, string>; color?: string; age?: number }
  interface CustomChannelData { color?: string; floor?: number; name?: string }
  interface CustomMemberData { nick?: string }
  interface CustomMessageData { mood?: string }
  interface CustomEventData { delete_conversation_channels?: boolean; hands?: number; from?: string }
  interface CustomEventTypes { waving: true; friendship_requested: true }
}
`;

/** What a reply or event is typed with, where that is not what the SDK's method declares. */
const TYPES = { Event: 'Event', 'StreamChat.getRateLimits': 'RateLimits' };

export class Replies {
  #lines = new Set();
  /** As `Subject.name`; an event's subject is `Event`. */
  #called = new Set();
  #answered = new Set();

  /** Takes what a `Keeper` kept. */
  keep({ subject, name, json }) {
    const what = `${subject}.${name}`;
    this.#called.add(what);
    if (!json) return;
    this.#answered.add(what);
    this.#lines.add(`${TYPES[subject] ?? TYPES[what] ?? `Reply<${subject}, '${name}'>`} = ${json};`);
  }

  /** Methods that were called, and events that were heard. */
  get called() {
    return this.#called;
  }

  /** Methods that were called and never answered with anything that has a type. */
  get unanswered() {
    return [...this.#called].filter((what) => !this.#answered.has(what));
  }

  /** Fails unless all that was kept has its declared type. */
  async check() {
    const lines = [...this.#lines].map((line, number) => `export const _${number}: ${line}`);
    const folder = await mkdtemp(join(tmpdir(), 'rollcall-replies-'));
    try {
      await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
      await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
      await writeFile(join(folder, 'replies.ts'), HEAD + lines.join('\n'));
      const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
      const settings = ['--strict', '--noEmit', '--skipLibCheck', '--target', 'es2022', '--lib', 'es2023,dom', '--types', 'node'];
      const resolution = ['--module', 'esnext', '--moduleResolution', 'bundler'];
      const { status, stdout } = spawnSync(process.execPath, [tsc, ...settings, ...resolution, 'replies.ts'], { cwd: folder, encoding: 'utf8' });
      assert.equal(status, 0, explain(stdout, lines));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

/** What tsc found, with the reply that each line of it is about. */
function explain(found, lines) {
  const first = HEAD.split('\n').length;
  return found
    .split('\n')
    .map((line) => {
      const at = line.match(/^replies\.ts\((\d+),/);
      return at ? `${line}\n    ${lines[Number(at[1]) - first]?.slice(0, 2000)}` : line;
    })
    .join('\n');
}
