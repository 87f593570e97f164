import { Announcer } from './announcer';
import type { Banner } from './banner';
import { find, setText } from './dom';
import { Invite } from './invite';
import { Log } from './log';
import { Messages } from './messages';
import { Profile } from './profile';
import { Room, type Connection } from './room';
import { Roster } from './roster';
import { offerSignIn } from './sign-in';
import { keepFresh } from './time';
import { readVisitor, settleAddress, type Visitor } from './visitor';

/** Shows what the address asks for: the room as somebody, or the question who it is. */
export function open(banner: Banner): void {
  const visitor = readVisitor(new URL(location.href));
  if (visitor) enter(visitor, banner);
  else offerSignIn();
}

function enter(visitor: Visitor, banner: Banner): void {
  const room = new Room(visitor, location.origin);
  const roster = new Roster(room.people);
  const log = new Log(visitor.id);
  new Profile(room, visitor);
  new Messages(room);
  new Announcer(room.people);
  new Invite(room.people);

  room.connectionChanged.listen((connection) => {
    showConnection(connection);
    if (connection.state !== 'online') return;
    settleAddress(visitor);
    banner.hide();
  });
  room.heard.listen((event) => log.add(event));
  room.failed.listen((problem) => banner.show(problem));
  keepFresh(() => roster.refresh());

  find('main.room').hidden = false;
  void room.connect();
}

function showConnection(connection: Connection): void {
  document.body.dataset.connection = connection.state;
  const words = { connecting: 'Connecting…', online: 'Connected', offline: '' };
  setText(find('.connection'), connection.state === 'offline' ? connection.because : words[connection.state]);
}
