// A tiny project for one bundler, with the packed package installed, built and served.

import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { root, run } from '../../scripts/shell.mjs';
import { toolbox } from '../../scripts/toolbox.mjs';
import { inTime } from './event.mjs';
import { installed } from './package.mjs';
import { serve, typeOf } from './web.mjs';

const source = join(root, 'pkg-tests', 'bundlers');
const MINUTE = 60_000;

/** The folder in whose `node_modules` the bundlers are. */
export const bundlers = () => toolbox(source);

export class Project {
  /** A copy of `pkg-tests/bundlers/<name>`, removed when the test has passed and kept when it has not. */
  static async make(name) {
    const project = new Project();
    project.name = name;
    project.tools = await bundlers();
    project.folder = await mkdtemp(join(project.tools, `${name}-`));
    for (const file of ['app', 'main']) await cp(join(source, `${file}.mjs`), join(project.folder, `${file}.js`));
    await cp(join(source, name), project.folder, { recursive: true });
    await writeFile(join(project.folder, 'package.json'), JSON.stringify({ name, private: true, type: 'module' }));
    await cp(await installed(), join(project.folder, 'node_modules', 'rollcall'), { recursive: true });
    return project;
  }

  /** Does `work` with it, and leaves it where it is if that fails. */
  static async with(name, work) {
    const project = await Project.make(name);
    try {
      await work(project);
    } catch (error) {
      error.message += `\nThe project is kept in ${project.folder}`;
      throw error;
    }
    await rm(project.folder, { recursive: true, force: true });
  }

  /** Runs one of the bundlers' commands to its end. */
  async build(command, ...args) {
    await run(join(this.tools, 'node_modules', '.bin', command), args, { cwd: this.folder, quiet: true, env: ENV });
  }

  /** Serves its files, or those of a folder in it. */
  async files(t, folder = '.') {
    const { url, close } = await serve(async (request, response) => {
      const path = normalize(new URL(request.url, 'http://site').pathname);
      const file = join(this.folder, folder, path === '/' ? 'index.html' : path);
      const content = await readFile(file).catch(() => null);
      response.writeHead(content ? 200 : 404, { 'content-type': typeOf(file) }).end(content);
    });
    t.after(close);
    return url;
  }

  /** Starts a server of the bundler's own, on a free port; resolves with its address once it says so. */
  async serve(t, command, ...args) {
    const program = spawn(join(this.tools, 'node_modules', '.bin', command), [...args, '--port', '0'], {
      cwd: this.folder,
      env: { ...process.env, ...ENV },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const ended = new Promise((resolve) => program.once('close', resolve));
    t.after(async () => {
      // It may have started others.
      if (program.exitCode === null) process.kill(-program.pid, 'SIGKILL');
      await ended;
    });
    let log = '';
    const serving = new Promise((resolve, reject) => {
      const listen = (text) => {
        log += text;
        const url = log.match(/http:\/\/(?:localhost|127\.0\.0\.1):[1-9]\d*/);
        if (url) resolve(url[0]);
      };
      for (const stream of [program.stdout, program.stderr]) stream.on('data', listen);
      void ended.then(() => reject(new Error(`${command} ended before it served`)));
    });
    return inTime(serving, `${command} serving`, MINUTE).catch((error) => {
      error.message += `:\n${log}`;
      throw error;
    });
  }
}

/** No bundler tells anybody that it is used, nor asks whether there is a newer one. */
const ENV = { CI: 'true', NEXT_TELEMETRY_DISABLED: '1', PARCEL_DISABLE_TELEMETRY: '1', NO_UPDATE_NOTIFIER: '1', NO_COLOR: '1' };
