/**
 * Rollcall: who is online.
 *
 * Names and shapes follow the Stream Chat presence protocol, so that presence code written for
 * the official SDK moves over by changing its import.
 *
 * @packageDocumentation
 *
 * @example
 * import { PresenceClient } from 'rollcall';
 *
 * const client = new PresenceClient(apiKey, { baseURL: 'http://localhost:8800' });
 * await client.connectUser({ id: 'jill' }, token);
 * const watch = await client.watchPresence(['jack', 'joan']);
 * watch.on('change', ({ id, online, freshness }) => console.log(id, online, freshness));
 */

export * from './custom.js';
export * from './user.js';
export * from './channel.js';
export * from './presence.js';
export * from './query.js';
export * from './events.js';
export * from './error.js';
export * from './client.js';
export * from './watch.js';
