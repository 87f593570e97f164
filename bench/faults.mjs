// `npm run faults`: what a page shows after a fault, and for how long it is wrong: this client beside
// the official SDK, in Chromium, against the same server through the same network.
// Prints the table of docs/FRESHNESS.md and leaves all it saw in bench/results/faults.json.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { launchChromium } from '../pkg-tests/harness/chromium.mjs';
import { FaultProxy } from '../pkg-tests/harness/proxy.mjs';
import { site } from '../pkg-tests/harness/site.mjs';
import { newStage } from '../pkg-tests/harness/stage.mjs';
import { address } from '../pkg-tests/harness/watcher.mjs';
import { program, root, say } from '../scripts/shell.mjs';
import { wrongFor } from './harness/wrong.mjs';

const seconds = (count) => new Promise((resolve) => setTimeout(resolve, count * 1000));

/** How long a page is watched after the fault is over. What is wrong until then is called "for ever". */
const WINDOW = 60;
/** When, after the fault is over, somebody comes online whom the page ought to hear of. */
const NEXT_FLIP = 20;

const IDS = ['ann', 'john'];

const SUBJECTS = [
  { name: 'rollcall, `watchPresence`', sdk: 'rollcall' },
  { name: 'stream-chat, `queryUsers`', sdk: 'stream-chat' },
  { name: 'stream-chat, `channel.watch`', sdk: 'stream-chat', channel: 'den' },
];

/** Each begins a fault, lets John leave while it lasts, and ends it. */
const SCENES = [
  {
    name: 'The server stops cleanly and starts again',
    async play({ server, leave }) {
      await server.stop();
      await leave();
      await server.start();
    },
  },
  {
    name: 'The server is killed (`kill -9`), and starts again 5 s later',
    async play({ server, leave }) {
      await server.kill();
      await leave();
      await seconds(5);
      await server.start();
    },
  },
  {
    name: 'Connections are reset, and new ones refused for 10 s',
    async play({ network, leave }) {
      await network.refuse();
      network.reset();
      await leave();
      await seconds(10);
      await network.heal();
    },
  },
  {
    name: 'The connection dies silently; nobody gives a hint',
    async play({ network, leave }) {
      network.lose();
      await leave();
    },
  },
  {
    name: 'From one network to another: the connection dies, the browser says offline and online',
    async play({ network, leave, context }) {
      network.lose();
      await context.setOffline(true);
      await leave();
      await context.setOffline(false);
    },
  },
  {
    name: 'Offline for 20 s',
    async play({ network, leave, context }) {
      network.lose();
      await network.refuse();
      await context.setOffline(true);
      await leave();
      await seconds(20);
      await network.heal();
      await context.setOffline(false);
    },
  },
  {
    name: 'A network that takes connections and says nothing, for 20 s',
    async play({ network, leave }) {
      network.reset();
      network.silence();
      await leave();
      await seconds(20);
      await network.heal();
    },
  },
  {
    name: 'The page is left for 5 s, and the back button pressed',
    async play({ page, leave }) {
      await page.goto(`${await site()}/elsewhere.html`);
      await leave();
      await seconds(5);
      await page.goBack({ waitUntil: 'commit' });
    },
  },
];

/** Puts all in place for one scene and one subject; `result` resolves once it has been played. */
async function prepare(browser, scene, subject) {
  const leaving = [];
  const leaveAll = async () => {
    for (const leave of leaving) await leave().catch((error) => say(String(error)));
  };
  try {
    const ready = await ask(browser, subject, (work) => leaving.push(work));
    return { result: play(scene, ready).finally(leaveAll) };
  } catch (error) {
    await leaveAll();
    throw error;
  }
}

/** Jack's page, which shows Ann, who is offline, and John, who is online. */
async function ask(browser, { sdk, channel }, after) {
  const stage = await newStage({ after });
  await stage.admin.upsertUsers([...IDS, 'jack'].map((id) => ({ id })));
  await stage.admin.channel('messaging', 'den', { members: [...IDS, 'jack'], created_by_id: 'jack' }).create();
  const network = await FaultProxy.open(stage.server.url);
  stage.defer(() => network.close());
  const [john, ann] = [await stage.person('john', 'node'), await stage.person('ann', 'node')];
  await john.connect();

  const context = await browser.newContext();
  stage.defer(() => context.close());
  const page = await context.newPage();
  await page.goto(await address(stage, { sdk, channel, baseURL: network.url, user: 'jack', ids: IDS }));
  await page.waitForFunction(() => window.watcher?.ready);
  await page.evaluate(() => (window.isTheSame = true));
  return { ...stage, network, john, ann, context, page };
}

/** Plays a scene; resolves with what was true and what was shown, and when. */
async function play(scene, { john, ann, page, truth: ask, ...ready }) {
  const truth = [];
  const flip = async (person, state, act) => {
    await act();
    truth.push([Date.now(), person.id, state]);
  };
  const began = Date.now();
  const leave = () => flip(john, 'offline', () => john.disconnect());
  await scene.play({ ...ready, page, leave });
  const over = Date.now();
  await seconds(NEXT_FLIP);
  await flip(ann, 'online', () => ann.connect());
  await seconds(WINDOW - NEXT_FLIP);

  const end = Date.now();
  const said = await ask(IDS);
  if (said.john !== 'offline' || said.ann !== 'online') throw new Error(`${scene.name}: the server says ${JSON.stringify(said)}`);
  await page.waitForFunction(() => window.watcher);
  const { history, reloaded } = await page.evaluate(() => ({ history: window.watcher.history, reloaded: !window.isTheSame }));
  return { began, over, end, truth, history, reloaded };
}

const inSeconds = (milliseconds) => (milliseconds < 50 ? '0' : (milliseconds / 1000).toFixed(1));

/** The cells of one subject in one scene. */
function cells({ began, end, truth, history, reloaded }) {
  const doubt = history.find(([at, , what]) => at >= began && (what === 'disconnected' || what.startsWith('stale ')));
  const of = (id) => {
    const [flipped, , state] = truth.find(([, other]) => other === id);
    const { wrong, doubted, right } = wrongFor(history.filter(([, other]) => other === id), state, flipped, end);
    if (!right) return wrong ? 'for ever' : 'in doubt for ever';
    return doubted ? `${inSeconds(wrong)} (and ${inSeconds(doubted)} in doubt)` : inSeconds(wrong);
  };
  return [reloaded ? 'loaded anew' : doubt ? inSeconds(doubt[0] - began) : 'never', of('john'), of('ann')];
}

await program(async () => {
  // Playwright would turn the back-forward cache off.
  const browser = await launchChromium({ ignoreDefaultArgs: ['--disable-back-forward-cache'] });
  const playing = [];
  const results = [];
  try {
    say(`${SCENES.length} faults, each played to ${SUBJECTS.length} pages at once, and every page watched for ${WINDOW} s after …`);
    for (const scene of SCENES) {
      const runs = [];
      // One after the other until all is in place; then each takes its time beside the others.
      for (const subject of SUBJECTS) runs.push(await prepare(browser, scene, subject));
      playing.push(Promise.all(runs.map((run) => run.result)).then((runs) => ({ scene: scene.name, runs })));
      say(`• ${scene.name}`);
    }
    for (const { scene, runs } of await Promise.all(playing)) {
      results.push({ scene, runs: runs.map((run, n) => ({ subject: SUBJECTS[n].name, cells: cells(run), ...run })) });
    }
  } finally {
    await browser.close();
  }

  console.log('| | | in doubt after | missed flip wrong for | next flip wrong for |\n|---|---|---|---|---|');
  for (const { scene, runs } of results) {
    for (const [n, { subject, cells }] of runs.entries()) console.log(`| ${n ? '' : scene} | ${subject} | ${cells.join(' | ')} |`);
  }
  await mkdir(join(root, 'bench', 'results'), { recursive: true });
  await writeFile(join(root, 'bench', 'results', 'faults.json'), JSON.stringify(results, null, 2));
});
// The official SDK's people would go on looking for servers that are gone.
process.exit();
