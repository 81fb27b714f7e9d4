// Tests the tests: makes small changes in the sources, one at a time, and runs the tests that concern the file. A change
// that no test sees has survived; a test is missing then, or the change changes nothing, and equal-mutants.txt says why.
// The sources are not touched: Go reads a changed file through an overlay, Node from a copy.
//
// Own code, since the tools of the time (gremlins and go-mutesting for Go, Stryker for TypeScript) run every change that
// they find, against one command: here that takes days. They cannot draw some by a seed, nor choose tests by the file.
import { execFileSync, spawn } from 'node:child_process'
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'vite'

const root = fileURLToPath(new URL('../../', import.meta.url))
const seed = Number(process.env.SEED || Math.floor(Math.random() * 2 ** 32))
const wanted = Number(process.env.MUTANTS || 250)
const only = new RegExp(process.env.ONLY || '')
const results = process.env.RESULTS // a file: a run that was stopped goes on there

/** The tests that concern a file, the likeliest first: of the first pattern that matches its path. */
const quickly = './engine -skip=^(TestIndexes|TestModel|TestAggregate_caches)$' // these three take nine tenths of the time
const goTests = [
  [/^engine\/msgpack\//, ['./engine/msgpack', './engine/query', quickly, './engine', './jsbridge']],
  [/^engine\/query\//, ['./engine/query', quickly, './engine/sql', './jsbridge', './engine']],
  [/^engine\/schema\//, ['./engine/schema', quickly, './jsbridge']],
  [/^engine\/sql\//, ['./engine/sql', './jsbridge']],
  [/^engine\//, [quickly, './engine/sql', './jsbridge', './storage', './engine']],
  [/^storage\/\w+\//, ['./$folder', './storage/filelog', './jsbridge', './storage']],
  [/^storage\//, ['./storage', './storage/filelog', './storage/docfile', './jsbridge']],
  [/^jsbridge\//, ['./jsbridge']],
]
const nodeTests = [
  [/\/msgpack\//, 'codec plain-javascript api attack'],
  [/\/query\//, 'print plain-javascript api attack'],
  [/\/security\//, 'security hostile clock'],
  [/\/storage\/(stored-file|json|message-pack|document-file|disk|text)/, 'files disk-lock full-disk formats'],
  [/\/storage\/(file|log-file)/, 'file-storage'],
  [/\/storage\/(envelope|identity|sealed|turns|lease)/, 'sealed-log identity api transactions'],
  [/\/storage\/appending-log/, 'at-once lmdb sqlite transactions'],
  [/\/storage\/lmdb/, 'lmdb files full-disk'],
  [/\/storage\/kv/, 'kv stateless'],
  [/\/storage\/sqlite/, 'sqlite'],
  [/\/storage\//, 'api transactions testing clock kv'],
  [/\/connection\/stateless/, 'stateless kv'],
  [/\/connection\/query-cache|tracker/, 'query-cache api'],
  [/\/connection\/live/, 'live live-model api'],
  [/\/connection\/held/, 'held-connection open-twice'],
  [/\/connection\/reviving/, 'revival engine-exit'],
  [/\/connection\//, 'transactions api query-cache stateless worker'],
  [/\/engine\//, 'bridge engine-exit api worker'],
  [/\/live\/|live-query/, 'live live-model api'],
  [/\/api\/migrate/, 'migrations api'],
  [/\/api\/validated/, 'validators api'],
  [/\/testing/, 'testing'],
  [/\/operations\/relation/, 'relationships api'],
  [/\/operations\//, 'api transactions query-cache aggregate attack'],
  [/./, 'api query-cache aggregate attack'],
]
/** Files whose tests need a browser or run what is built, which a run of this kind does not; and what is generated or has no code. */
const left = /_js\.go$|local-storage|indexeddb|opfs|web-lock|own-files|load\.ts|go-runtime|ops\.ts|operators\.ts|statements\.ts|\.d\.ts|types\.ts|src\/(cli|cloudflare|thread|hooks|react|vue|svelte|solid|angular)\/|src\/(thread|worker|workerd)\.ts/

/** mulberry32 */
function random(state) {
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let x = Math.imul(state ^ (state >>> 15), state | 1)
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61)
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32
  }
}

function shuffled(list, next) {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1))
    ;[list[i], list[j]] = [list[j], list[i]]
  }
  return list
}

function filesOf(...patterns) {
  return execFileSync('git', ['ls-files', ...patterns], { cwd: root, encoding: 'utf8' }).trim().split('\n').filter((file) => only.test(file) && !left.test(file))
}

function goMutants() {
  const files = filesOf('engine/*.go', 'storage/*.go', 'jsbridge/*.go').filter((file) => !/_test\.go$|storagetest/.test(file))
  if (files.length === 0) return []
  // go run takes leading arguments that end in .go as its own sources, so the list of files goes to the program that go build makes.
  const program = join(folder, 'mutants')
  execFileSync('go', ['build', '-o', program, './npm/scripts/mutants.go'], { cwd: root })
  return JSON.parse(execFileSync(program, files, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 }))
}

const swaps = {
  '===': ['!=='], '!==': ['==='], '<': ['<=', '>='], '<=': ['<', '>'], '>': ['>=', '<='], '>=': ['>', '<'], '&&': ['||'], '||': ['&&'], '??': ['&&'],
  '+': ['-'], '-': ['+'], '*': ['+'], '/': ['*'], '%': ['*'], '&': ['|'], '|': ['&'], '<<': ['>>'], '>>': ['<<'], '>>>': ['<<'],
  '+=': ['-=', '='], '-=': ['+=', '='], '++': ['--'], '--': ['++'], '??=': ['='],
}

function typeScriptMutants() {
  return filesOf('npm/src/*.ts').flatMap((file) => {
    const source = readFileSync(join(root, file), 'utf8')
    const found = []
    const add = (kind, start, end, text) => found.push({ file, start, end, line: source.slice(0, start).split('\n').length, kind, text })
    const swap = (operator, from, to) => {
      const start = from + source.slice(from, to).replace(/\/\*.*?\*\/|\/\/.*/g, (comment) => ' '.repeat(comment.length)).indexOf(operator)
      for (const other of swaps[operator] ?? []) add(`${operator} to ${other}`, start, start + operator.length, other)
    }
    const visit = (node) => {
      if (Array.isArray(node)) return node.forEach(visit)
      if (!node || typeof node.type !== 'string') return
      if (node.type.startsWith('TS') && !node.expression) return
      switch (node.type) {
        case 'ImportDeclaration': case 'ExportAllDeclaration': return
        case 'BinaryExpression': case 'LogicalExpression': swap(node.operator, node.left.end, node.right.start); break
        case 'AssignmentExpression': swap(node.operator, node.left.end, node.right.start); break
        case 'UpdateExpression': swap(node.operator, node.start, node.end); break
        case 'IfStatement': case 'ConditionalExpression': add('condition flipped', node.test.start, node.test.end, `!(${source.slice(node.test.start, node.test.end)})`); break
        case 'ExpressionStatement': if (!node.directive) add('statement dropped', node.start, node.end, ';'); break
        case 'ThrowStatement': add('error ignored', node.start, node.end, ';'); break
        case 'ReturnStatement': if (node.argument) add('return replaced', node.argument.start, node.argument.end, 'undefined'); break
        case 'BreakStatement': if (!node.label) add('branch', node.start, node.end, ';'); break
        case 'ContinueStatement': if (!node.label) add('branch', node.start, node.end, 'break'); break
        case 'AwaitExpression': add('await dropped', node.start, node.start + 5, ''); break
        case 'Literal':
          if (typeof node.value === 'boolean') add('constant', node.start, node.end, String(!node.value))
          if (typeof node.value === 'number') for (const by of [1, -1]) add('constant', node.start, node.end, `(${node.value + by})`)
      }
      for (const [name, value] of Object.entries(node)) if (!/^(type|start|end|typeAnnotation|returnType|typeParameters|typeArguments|decorators)$/.test(name)) visit(value)
    }
    visit(parseSync(file, source).program)
    return found
  })
}

/** The first line of the change, as it would stand in the file: this is how equal-mutants.txt names a mutant. */
function nameOf(mutant) {
  const source = readFileSync(join(root, mutant.file))
  const from = source.lastIndexOf('\n', mutant.start - 1) + 1
  const before = source.subarray(from, mutant.start).toString()
  const end = source.indexOf('\n', mutant.end)
  const after = source.subarray(mutant.end, end < 0 ? source.length : end).toString()
  return `${mutant.file}: ${(before + (mutant.text || '(dropped)') + after).split('\n')[0].trim()}`
}

function changed(mutant) {
  const source = readFileSync(join(root, mutant.file))
  return Buffer.concat([source.subarray(0, mutant.start), Buffer.from(mutant.text), source.subarray(mutant.end)])
}

/** Runs a command after everything else; resolves to what it printed, and whether it failed. It has this much processor time. */
async function run(command, args, cwd, seconds) {
  const child = spawn('bash', ['-c', `ulimit -t ${seconds}; exec "$0" "$@"`, 'nice', '-n', process.env.NICE || '15', command, ...args], { cwd, detached: true })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data))
  // What waits for something that never comes takes no processor time.
  const tooLong = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), 1_200_000)
  const code = await new Promise((resolve) => child.on('close', (code) => resolve(code)))
  clearTimeout(tooLong)
  return { failed: code !== 0, output }
}

const passing = new Map()
/** Throws if the tests of that name fail as they are: they could tell nothing about a change. */
async function mustPass(name, command, args, cwd) {
  if (!passing.has(name)) passing.set(name, run(command, args, cwd, 600))
  const { failed, output } = await passing.get(name)
  if (failed) throw new Error(`without any change, ${name} fails:\n${output}`)
}

async function testGo(mutant) {
  writeFileSync(join(folder, 'changed.go'), changed(mutant))
  writeFileSync(join(folder, 'overlay.json'), JSON.stringify({ Replace: { [join(root, mutant.file)]: join(folder, 'changed.go') } }))
  const [, tests] = goTests.find(([pattern]) => pattern.test(mutant.file))
  const packages = [...new Set(tests.map((name) => name.replace('$folder', dirname(mutant.file))))]
  for (const [i, name] of packages.entries()) {
    const [path, ...flags] = name.split(' ')
    await mustPass(name, 'go', ['test', '-vet=off', path, ...flags], root)
    const { failed, output } = await run('go', ['test', '-vet=off', '-overlay', join(folder, 'overlay.json'), '-failfast', '-timeout', '18m', path, ...flags], root, 240)
    if (failed && i === 0 && /\[build failed\]|\[setup failed\]/.test(output)) return 'not built'
    if (failed) return `killed by ${/--- FAIL: (\S+)/.exec(output)?.[1] ?? name}`
  }
  return 'survived'
}

async function testTypeScript(mutant) {
  const copy = join(folder, mutant.file)
  try {
    const [, tests] = nodeTests.find(([pattern]) => pattern.test(mutant.file))
    for (const name of tests.split(' ')) {
      const args = ['--max-old-space-size=1500', '--import', 'tsx', '--test', `test/${name}.test.ts`]
      cpSync(join(root, mutant.file), copy)
      await mustPass(name, 'node', args, join(folder, 'npm'))
      writeFileSync(copy, changed(mutant))
      if ((await run('node', args, join(folder, 'npm'), 240)).failed) return `killed by ${name}.test.ts`
    }
    return 'survived'
  } finally {
    cpSync(join(root, mutant.file), copy)
  }
}

/** A copy of what the tests of npm read, in which one source at a time is changed. */
function copySources() {
  mkdirSync(join(folder, 'npm'), { recursive: true })
  for (const name of ['src', 'test', 'bench', 'scripts', 'package.json', 'tsconfig.json']) cpSync(join(root, 'npm', name), join(folder, 'npm', name), { recursive: true })
  for (const name of ['dist', '.build', 'node_modules']) symlinkSync(join(root, 'npm', name), join(folder, 'npm', name))
  for (const name of ['engine', 'storage', 'jsbridge', 'demo', 'wasm', 'README.md', 'go.mod', 'go.sum']) symlinkSync(join(root, name), join(folder, name))
}

const folder = mkdtempSync(join(tmpdir(), 'atomicdb-mutants-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
process.on('SIGINT', () => process.exit(1))
process.on('SIGTERM', () => process.exit(1))

const equal = new Set(readFileSync(new URL('equal-mutants.txt', import.meta.url), 'utf8').split('\n').filter((line) => /^\S/.test(line) && !line.startsWith('#')))
console.log(`replay: SEED=${seed} MUTANTS=${wanted}${process.env.ONLY ? ` ONLY='${process.env.ONLY}'` : ''} make mutants`)
copySources()
const tally = { killed: 0, equal: 0, survived: 0 }
const before = new Map()
if (results) {
  appendFileSync(results, '')
  for (const line of readFileSync(results, 'utf8').split('\n').filter(Boolean)) before.set(...line.split('\t'))
}
const languages = [[typeScriptMutants(), testTypeScript, Math.round(wanted * 0.4)], [goMutants(), testGo, Math.round(wanted * 0.6)]]
const language = process.env.LANGUAGE
for (const [all, test, share] of language ? [languages[language === 'go' ? 1 : 0]] : languages) {
  let tried = 0
  for (const mutant of shuffled(all, random(seed))) {
    if (tried >= share) break
    const name = nameOf(mutant)
    const known = before.get(`${name} (${mutant.kind}, ${mutant.start})`)
    const outcome = equal.has(name) ? 'equal' : (known ?? await test(mutant))
    if (results && !known) appendFileSync(results, `${name} (${mutant.kind}, ${mutant.start})\t${outcome}\n`)
    if (outcome === 'not built') continue
    tried++
    tally[outcome.split(' ')[0]]++
    console.log(`${tried}/${share} ${outcome}: line ${mutant.line}, ${mutant.kind}, of ${name}`)
  }
}
console.log(`${tally.killed} killed, ${tally.equal} equal, ${tally.survived} survived (seed ${seed}, ${new Date().toISOString().slice(0, 10)})`)
if (tally.survived > 0) process.exitCode = 1
