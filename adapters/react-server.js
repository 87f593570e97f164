'use client';

// What a server component gets that imports `rollcall/react`: references to the part in the browser.
// An entry of its own, because bundlers without server components complain of the line above.
export { PresenceProvider, useConnection, usePresence, usePresenceClient, usePresenceList } from './react.js';
