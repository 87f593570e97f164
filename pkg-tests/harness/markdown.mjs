// The code in a Markdown text.

/**
 * The fenced blocks: `{ language, text, line, notes }`, where `notes` are what a comment right above
 * says, unseen by readers: `<!-- says: jack is online; run: test -->`.
 */
export function blocks(markdown) {
  const found = [...markdown.matchAll(/(?:^<!-- (.*) -->\n)?^```(\w*)\n([^]*?)^```$/gm)].map(({ index, 1: notes = '', 2: language, 3: text }) => ({
    language,
    text,
    line: markdown.slice(0, index).split('\n').length,
    notes: Object.fromEntries(notes.split('; ').filter(Boolean).map((note) => note.match(/^(\w+): (.*)$/).slice(1))),
  }));
  const fences = markdown.match(/^[ \t>]*(```|~~~)/gm)?.length ?? 0;
  if (fences !== 2 * found.length) throw new Error('there are code blocks that are indented, quoted or never end: nothing would run them');
  return found;
}
