// What the server says, on its way in and on its way to the app's listeners.

import { isObject } from './input.js';
import { attempt } from './listeners.js';

/** @import { PresenceClient } from './client.js' */
/** @import { Engine } from './engine.js' */
/** @import { Json } from './state.js' */

/**
 * A frame: one event, or an array of them.
 * @param {Engine} engine
 * @param {number} generation
 * @param {string} text
 */
export function receive(engine, generation, text) {
  let parsed;
  try {
    parsed = JSON.parse(text);
  } catch {
    // What is not JSON is not for us; the health checks decide whether the connection is.
    return;
  }
  if (!Array.isArray(parsed)) take(engine, generation, parsed);
  else for (const event of parsed) take(engine, generation, event);
}

/**
 * @param {Engine} engine
 * @param {number} generation
 * @param {any} event
 */
function take(engine, generation, event) {
  const { type, user, error, connection_id, created_at, rollcall } = Object(event);
  switch (type) {
    case 'user.presence.changed':
    case 'user.updated':
    case 'user.deleted':
      if (typeof user?.id === 'string') {
        engine.heard(generation, user.id, !!user.online, type === 'user.deleted', user, event);
        return;
      }
      break;
    case 'health.check':
      engine.health(
        generation,
        typeof connection_id === 'string' ? connection_id : '',
        Date.parse(created_at),
        !!rollcall?.includes?.('pages'),
        event,
      );
      if (event.in_doubt) engine.doubt(generation, true);
      return;
    case 'connection.doubt':
      engine.doubt(generation, !!event.in_doubt);
      return;
    // Error frames of 2020 had no type.
    case undefined:
    case 'connection.error':
      if (typeof error?.code === 'number') engine.refused(generation, error.code, error);
      return;
  }
  if (typeof type === 'string') engine.other(generation, event);
}

/**
 * An event that is made here.
 * @param {string} type
 * @returns {Json}
 */
export const local = (type) => ({ type, created_at: new Date().toISOString() });

/**
 * Brings what the app can see up to date, then tells the listeners.
 * @param {PresenceClient} client
 * @param {Json} event
 */
export function deliver(client, event) {
  const { type, user, me, cid } = event;
  const { _connected: session, _channels: channels } = client;
  switch (type) {
    case 'user.presence.changed':
    case 'user.updated':
    case 'user.deleted':
      if (typeof user?.id === 'string') {
        if (session?.id === user.id) session?.refreshMe(user);
        for (const channel of channels) attempt(() => channel._replaceUser(user));
      }
      break;
    case 'health.check':
      client._calls.go();
      if (isObject(me)) {
        client._followsAll = isObject(event.rollcall);
        session?.takeMe(me);
      }
  }
  const told = channels.filter((channel) => cid && channel.cid === cid);
  for (const channel of told) attempt(() => channel._apply(event));
  client._dispatch(event);
  for (const channel of told) channel._dispatch(event);
}
