// The API reference: built without a warning, whole, readable from disk; and what it says is so.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { buildReference, entries } from '../scripts/docs.mjs';
import { root } from '../scripts/shell.mjs';
import { newPage } from './harness/browser.mjs';
import { project } from './harness/package.mjs';

let folder;
let modules;
let Kind;

before(async () => {
  folder = await mkdtemp(join(await project(), 'docs-'));
  const { project: reference, ReflectionKind } = await buildReference(join(folder, 'api'));
  modules = reference.children;
  Kind = ReflectionKind;
});
after(() => rm(folder, { recursive: true, force: true }));

/** What an entry exports, but for what it hands on from another. */
const exported = (module) => (module.children ?? []).filter(({ kind }) => kind !== Kind.Reference);

/** The members of a class or interface, or of the object types that a type is made of. */
function members(reflection) {
  const parts = reflection.type?.type === 'intersection' ? reflection.type.types : [reflection.type];
  const literals = parts.map((part) => part?.declaration?.children ?? []).flat();
  return [...(reflection.children ?? []), ...literals].filter((member) => !member.inheritedFrom);
}

/** Everything somebody may call or write, with the comments on it. */
function* items() {
  for (const module of modules) {
    yield { name: module.name, comments: [module.comment], called: true };
    for (const reflection of exported(module)) {
      const name = `${module.name}: ${reflection.name}`;
      yield { name, module, comments: commentsOf(reflection), called: true };
      for (const member of members(reflection)) {
        const called = Boolean(member.signatures) && member.comment?.modifierTags.has('@internal') !== true;
        yield { name: `${name}.${member.name}`, module, comments: commentsOf(member), called };
      }
    }
  }
}

function commentsOf(reflection) {
  if (reflection.signatures) return reflection.signatures.map(({ comment }) => comment);
  const { getSignature, setSignature } = reflection;
  return getSignature || setSignature ? [getSignature, setSignature].filter(Boolean).map(({ comment }) => comment) : [reflection.comment];
}

const examples = (comment) => comment?.blockTags.filter(({ tag }) => tag === '@example') ?? [];

test('every public item says what it is, and what is imported or called is shown in use', () => {
  const silent = [];
  for (const { name, comments, called } of items()) {
    for (const comment of comments) {
      if (!comment?.hasVisibleComponent()) silent.push(`${name} has no description`);
      else if (called && !examples(comment).length) silent.push(`${name} has no @example`);
    }
  }
  assert.deepEqual(silent, []);
});

test('every example compiles', async () => {
  const source = join(folder, 'examples');
  await mkdir(join(source, 'node_modules'), { recursive: true });
  await cp(join(root, 'pkg-tests', 'types', 'examples.d.ts'), join(source, 'examples.d.ts'));
  await symlink(join(await project(), 'node_modules', 'rollcall'), join(source, 'node_modules', 'rollcall'));
  for (const name of ['react', 'vue', 'svelte']) await symlink(join(root, 'node_modules', name), join(source, 'node_modules', name));
  await symlink(join(root, 'node_modules', '@types'), join(source, 'node_modules', '@types'));

  // An example that adds fields of its own would add them to the others.
  const [together, alone] = [[], []];
  let count = 0;
  for (const { name, module, comments } of items()) {
    for (const tag of comments.flatMap(examples)) {
      const code = tag.content.map(({ text }) => text).join('').replace(/^```\w*\n|\n?```\s*$/g, '');
      const file = `example${(count += 1)}.tsx`;
      await writeFile(join(source, file), `// ${name}\n${asModule(code, module ?? { name })}`);
      (code.includes('declare module') ? alone : together).push(file);
    }
  }
  assert.ok(count > 80, `there are but ${count} examples`);
  const settings = ['--strict', '--noEmit', '--skipLibCheck', '--target', 'es2022', '--lib', 'esnext,dom,dom.iterable', '--jsx', 'react-jsx', '--types', '', '--module', 'esnext', '--moduleResolution', 'bundler'];
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  for (const files of [together, ...alone.map((file) => [file])]) {
    const { status, stdout } = spawnSync(process.execPath, [tsc, ...settings, 'examples.d.ts', ...files], { cwd: source, encoding: 'utf8' });
    assert.equal(status, 0, stdout);
  }
});

/** An example as a module: with the imports it takes for granted, and where it may `await`. */
function asModule(code, module) {
  const imports = code.match(/^import .*;$/gm) ?? [];
  const rest = code.replace(/^import .*;$/gm, '');
  const missing = [modules.find(({ name }) => name === 'rollcall'), modules.find(({ name }) => name === module.name)].map((entry) => {
    const names = exported(entry).map(({ name }) => name).filter((name) => new RegExp(`\\b${name}\\b`).test(rest) && !imports.some((line) => line.includes(name)));
    return `import { ${names.join(', ')} } from '${entry.name}';`;
  });
  const lines = [...new Set([...imports, ...missing])].join('\n');
  return rest.includes('declare module') ? `${lines}\n${rest}\n` : `${lines}\nexport async function example() {\n${rest}\n}\n`;
}

test('it opens from disk, with every name of every entry', async (t) => {
  // Chromium loads no icons from another file; the page then takes those it has inside.
  const { page, complaints, close } = await newPage({ expected: [/icons\.svg#/] });
  t.after(close);
  await page.goto(pathToFileURL(join(folder, 'api', 'index.html')).href);
  const links = await page.locator('a[href^="modules/"]').evaluateAll((all) => all.map((a) => [a.textContent.trim(), a.href]));
  const pages = new Map(links);
  assert.deepEqual(modules.map(({ name }) => name).sort(), Object.keys(entries()).sort());
  for (const module of modules) {
    assert.ok(pages.has(module.name), `the first page has no link to ${module.name}`);
    await page.goto(pages.get(module.name));
    const text = await page.locator('body').innerText();
    const missing = module.children.map(({ name }) => name).filter((name) => !text.includes(name));
    assert.deepEqual(missing, [], module.name);
  }
  await page.goto(pathToFileURL(join(folder, 'api', 'classes', 'rollcall.PresenceClient.html')).href);
  await page.getByRole('heading', { name: 'Class PresenceClient' }).waitFor();
  assert.deepEqual(complaints, []);
});

test('it holds the guides, and fits a phone', async (t) => {
  const { page, complaints, close } = await newPage({ expected: [/icons\.svg#/] });
  t.after(close);
  await page.setViewportSize({ width: 390, height: 844 });
  const files = await readdir(join(root, 'docs', 'guides'));
  const headings = await Promise.all(files.map(async (file) => (await readFile(join(root, 'docs', 'guides', file), 'utf8')).match(/^# (.*)/)[1].replaceAll('`', '')));
  const pages = ['index.html', join('classes', 'rollcall.PresenceClient.html'), ...headings.map((heading) => join('documents', `${heading.replaceAll(' ', '_')}.html`))];
  for (const name of pages) {
    await page.goto(pathToFileURL(join(folder, 'api', name)).href);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} is wider than a phone`);
  }
  assert.deepEqual(complaints, []);
});
