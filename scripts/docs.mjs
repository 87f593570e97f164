// `npm run docs`: the API reference, from the types and their comments, into `docs/api/`.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Problem, program, root, say } from './shell.mjs';
import { toolbox } from './toolbox.mjs';

/** What is made from what, by the entry's name. */
export function entries() {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const typed = Object.entries(exports).filter(([, { types }]) => types);
  // The package has the declarations of the adapters where this repository has the adapters.
  const source = (types) => types.replace('./', '').replace('wasm/', 'adapters/').replace(/^(adapters\/(?!wasm).*)\.d\.ts$/, '$1.ts');
  return Object.fromEntries(typed.map(([entry, { types }]) => [`rollcall${entry.slice(1)}`, source(types)]));
}

/** TypeDoc, which has a TypeScript of its own: there is none yet that takes version 7. */
async function typedoc() {
  // Whoever requires it has another copy than whoever imports it, and its types are found by `require`.
  const { resolve } = createRequire(join(await toolbox(join(root, 'scripts', 'docs')), 'package.json'));
  return import(pathToFileURL(resolve('typedoc')));
}

/** Builds the reference into `folder`; throws a `Problem` that lists all warnings when there are any. */
export async function buildReference(folder) {
  const { Application, Converter, Logger, LogLevel, ReflectionKind } = await typedoc();
  const sources = entries();
  const app = await Application.bootstrap({
    name: 'rollcall',
    readme: join(root, 'scripts', 'docs', 'index.md'),
    projectDocuments: [join(root, 'docs', 'guides', '*.md')],
    entryPoints: Object.values(sources).map((file) => join(root, file)),
    tsconfig: join(root, 'adapters', 'tsconfig.json'),
    basePath: root,
    disableSources: true,
    excludeInternal: true,
    excludePrivate: true,
    excludeExternals: true,
    githubPages: false,
    hideGenerator: true,
    customCss: join(root, 'scripts', 'docs', 'style.css'),
    navigation: { includeFolders: false },
    highlightLanguages: ['ts', 'js', 'jsx', 'tsx', 'vue', 'svelte', 'html', 'css', 'sh', 'console', 'rust', 'toml', 'json'],
    logLevel: 'Warn',
    validation: { notExported: false, invalidLink: true },
  });
  const complaints = [];
  app.logger = new (class extends Logger {
    log(message, level) {
      if (level >= LogLevel.Warn) complaints.push(message);
    }
  })();
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.getChildrenByKind(ReflectionKind.Module)) {
      const [name] = Object.entries(sources).find(([, file]) => file.replace(/(\.d)?\.ts$/, '') === module.name.replace(/\.d$/, '')) ?? [];
      if (!name) throw new Problem(`The reference has a module ${module.name} that is no entry of the package.`);
      module.name = name;
    }
    for (const guide of project.documents ?? []) {
      const [heading] = guide.content.map(({ text }) => text).join('').match(/(?<=^# ).*/m);
      guide.name = heading.replaceAll('`', '');
    }
  });
  const project = await app.convert();
  if (project) {
    app.validate(project);
    await app.generateDocs(project, folder);
  }
  if (complaints.length) throw new Problem(`The API reference has problems:\n${complaints.join('\n')}`);
  return { project, ReflectionKind };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  await program(async () => {
    const folder = join(root, 'docs', 'api');
    await buildReference(folder);
    say(`The API reference is ${join(folder, 'index.html')}`);
  });
}
