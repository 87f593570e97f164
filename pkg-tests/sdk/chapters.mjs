// Every story about the official SDK.

import { application } from './application.mjs';
import { channels } from './channels.mjs';
import { failures } from './failure.mjs';
import { leftOut } from './left-out.mjs';
import { polling } from './polling.mjs';
import { presences } from './presence.mjs';
import { users } from './users.mjs';

export const chapters = [...presences, ...users, ...channels, ...application, ...polling, ...failures, ...leftOut];
