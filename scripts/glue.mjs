// Makes the JavaScript that wasm-bindgen generates small enough to be downloaded. Where a pattern
// finds nothing, after a change of wasm-bindgen, the download is but larger.

/** Of the generated glue, what nobody who runs this needs. */
export function withoutExtras(glue) {
  return glue
    // What is no longer reached is freed by itself. Freed by hand, whatever is called next would fail.
    .replace(/^    (__destroy_into_raw|free)\(\) \{\n[^]*?^    \}\n/gm, '')
    .replace(/^if \(Symbol\.dispose\) .*\n/gm, '')
    // Every browser with the rest of what this takes has these two as well.
    .replace(/\(typeof FinalizationRegistry === 'undefined'\)\s+\? \{.*\}\s+: /g, '')
    .replace(/^if \(!\('encodeInto' in [^]*?^\}\n/m, '')
    // Only our own code calls this, with what it got from here.
    .replace(/^ +_assertClass\(.*\n/gm, '')
    // Of numbers and booleans, wasm makes numbers by itself.
    .replace(/^    \w+\(.*\) \{\n[^]*?^    \}\n/gm, (method) => {
      const numbers = new Map();
      const rest = method.replace(/^ +const (val\d) = \+(\w+);\n/gm, (_, value, argument) => (numbers.set(value, argument), ''));
      return rest.replace(/\bval\d\b/g, (value) => numbers.get(value));
    })
    // Nobody calls himself a thousand times with what is lent to wasm.
    .replace(/^    if \(stack_pointer == 1\) .*\n/m, '')
    // What this would give back is lost with a page that has no memory left.
    .replace(/^( +)let ptr0, .*\n +try \{\n([^]*?)^ +\} catch \(e\) \{\n[^]*?^\1\}\n/gm, (_, indent, passing) => passing.replace(/^ +/gm, `${indent}const `))
    // All strings are passed with a way to grow; a memory that has grown has another buffer; and
    // nobody asks for the module.
    .replace(/^    if \(realloc === undefined\) \{\n[^]*?^    \}\n/m, '')
    .replace(/(\w+)\.buffer\.detached === true \|\| \(.*? && (.*?)\)(?=\) \{$)/m, '$2')
    .replace(/^    wasm(Instance|Module) = .*\n/gm, '')
    // Safari's decoder wears out after two gigabytes, more than a client ever takes from its wasm.
    .replace(/^    numBytesDecoded \+= .*;\n    if \(numBytesDecoded >= [^]*?^    \}\n/m, '')
    // `entry` passes the bytes alone, and `rollcall/wasm` passes its source the right way.
    .replace(/^(function initSync\(module\) \{\n)[^]*?(?=^    const imports)/m, '$1')
    .replace(/^    if \(!\(module instanceof WebAssembly\.Module\)\) \{\n(.*\n)    \}\n/m, '$1')
    .replace(/^        if \(Object\.getPrototypeOf\((module\w*)\)[^]*?^        \}\n/gm, '        ({$1} = $1)\n')
    // Whoever does not say where the wasm is has it inside.
    .replace(/^    if \(module_or_path === undefined\) \{\n[^]*?^    \}\n/gm, '')
    // Every browser with the rest of what this takes has `globalThis`, so nobody asks for the others.
    .replace(/const ret = typeof globalThis .*\n.*/, 'return addHeapObject(globalThis);')
    .replace(/const ret = typeof (?:global|self|window) .*\n.*/g, 'return 0;')
    // Views of a memory that is not there yet need not be forgotten.
    .replace(/^    cached\w+ = null;\n/gm, '')
    .replace(/(cachedDataView\w+) === null \|\| \1\./, '$1?.')
    .replace(/(cachedUint8Array\w+) === null \|\| \1\.byteLength === 0/, '!$1?.byteLength');
}

/** Says the same in fewer words. */
export function terse(glue) {
  const [, malloc, realloc] = glue.match(/passStringToWasm0\(\w+, (wasm\.\w+), (wasm\.\w+)\)/) ?? [, 'malloc', 'realloc'];
  return glue
    .replace(/^( {8}\S+: )function\(\) \{ return handleError\(function \((.*)\) \{$/gm, '$1($2) => handleError(() => {')
    .replace(/^( {8}\S+: )function\((.*)\) \{$/gm, '$1($2) => {')
    .replace(/^ {8}\}, arguments\); \},$/gm, '        }),')
    .replace('handleError(f, args)', 'handleError(f)')
    .replace('f.apply(this, args)', 'f()')
    // All strings are put into the same memory.
    .replace(/(passStringToWasm0\(\w+), wasm\.\w+, wasm\.\w+\)/g, '$1)')
    .replace('passStringToWasm0(arg, malloc, realloc)', 'passStringToWasm0(arg)')
    .replace(/ malloc\(/g, ` ${malloc}(`)
    .replace(/ realloc\(/g, ` ${realloc}(`)
    // Wasm's numbers have a sign. No address and no counter is so large that it would show.
    .replace(/\((arg0) >>> 0\) \+ (\d) \* (\d)/g, (_, address, size, index) => `${address} + ${size * index}`)
    .replace(/ >>> 0\b/g, '')
    .replace(/^ +(\w+) = \1;\n/gm, '')
    // A string's length is what its address was found with, so each is read right after the other.
    .replace(/^    \w+\(.*\) \{\n[^]*?^    \}\n/gm, (method) => {
      const parts = new Map([...method.matchAll(/^ {8}const ((?:ptr|len)\d) = (.*);\n/gm)].map(([, name, value]) => [name, value]));
      return method.replace(/^ {8}const (?:ptr|len)\d = .*\n/gm, '').replace(/\b(?:ptr|len)\d\b/g, (name) => parts.get(name));
    })
    .replace(/^( +)const ret = (.*);\n +return ((?:(?!\bret\b).)*)\bret\b((?:(?!\bret\b).)*);$/gm, '$1return $3$2$4;');
}

/**
 * Follows wasm-opt in calling imports and exports by short names: the generated ones end in
 * hashes, which no compression makes small.
 */
export function withShortNames(glue, { imports, exports }) {
  const imported = new Map(imports.map(([, long, short]) => [long, short]));
  const exported = new Map(exports);
  return glue
    .replace(/^( +)"\.\/glue_bg\.js": /gm, '$1a: ')
    .replace(/^( +)(\w+): /gm, (all, indent, name) => `${indent}${imported.get(name) ?? name}: `)
    .replace(/\bwasm\.(\w+)/g, (all, name) => `wasm.${exported.get(name) ?? name}`);
}
