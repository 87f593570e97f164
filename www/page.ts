import { Announcer } from './announcer';
import type { Banner } from './banner';
import { Board } from './board';
import { Crowd } from './crowd';
import { find, setText } from './dom';
import { Inspector } from './inspector';
import { Invite } from './invite';
import { Log } from './log';
import { Messages } from './messages';
import { Network } from './network';
import { NetworkPanel } from './network-panel';
import { Profile } from './profile';
import { Room } from './room';
import { offerSignIn } from './sign-in';
import { Tabs } from './tabs';
import { keepFresh } from './time';
import { readVisitor, settleAddress, type Visitor } from './visitor';

const LIVE = 'Live';

/** Shows what the address asks for: the room as somebody, or the question who it is. */
export function open(banner: Banner): void {
  const visitor = readVisitor(new URL(location.href));
  if (visitor) enter(visitor, banner);
  else offerSignIn();
}

function enter(visitor: Visitor, banner: Banner): void {
  const network = new Network();
  network.install();
  const room = new Room(visitor, location.origin);
  const tabs = new Tabs(find('.tabs'));
  const board = new Board(room);
  const crowd = new Crowd(room);
  const log = new Log(visitor.id);
  const inspector = new Inspector(room);
  const panel = new NetworkPanel(room, network);
  new Profile(room, visitor);
  new Messages(room);
  new Announcer(room.people);
  new Invite(room.people);

  room.connectionChanged.listen((connection) => {
    document.body.dataset.connection = connection.state;
    if (connection.state === 'online') banner.hide();
  });
  const showWire = () => {
    const said = words(room);
    document.body.dataset.trust = said === LIVE ? 'live' : room.connection.state === 'connecting' ? 'none' : 'lost';
    setText(find('.connection'), said);
  };
  room.connectionChanged.listen(showWire);
  room.wireChanged.listen(showWire);
  const settle = () => {
    if (room.connection.state === 'online') settleAddress(visitor.id, room.way.name);
  };
  room.connectionChanged.listen(settle);
  room.boardChanged.listen(settle);
  room.heard.listen((event) => log.add(event));
  room.failed.listen((problem) => banner.show(problem));
  board.asked.listen((id) => inspector.open(id));
  crowd.asked.listen((id) => inspector.open(id));
  inspector.opened.listen(() => tabs.open('inspector'));
  keepFresh(30, () => board.refresh());
  keepFresh(1, () => {
    panel.render();
    crowd.refresh();
  });

  find('main.room').hidden = false;
  void room.connect();
}

/** How far what is shown can be trusted, for the corner of the page. */
function words({ connection, wire }: Room): string {
  if (connection.state === 'connecting') return 'Connecting…';
  if (connection.state === 'offline' && !connection.retrying) return connection.because;
  if (wire.inDoubt) return 'Server silent: as last heard';
  if (wire.state !== 'connected') return 'Connection lost: as last heard';
  return LIVE;
}
