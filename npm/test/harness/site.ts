import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

const mimeTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  // Needed: WebAssembly.compileStreaming refuses every other type.
  '.wasm': 'application/wasm',
}

/** A text, or a folder whose files are served. */
export type Content = string | { folder: string }

/** A static web site on a free port of 127.0.0.1. */
export interface Site {
  readonly origin: string
  close(): Promise<void>
}

/** The folder of the package under test, `npm/`. */
export const packageFolder = fileURLToPath(new URL('../../', import.meta.url))

/**
 * Serves each path of `content`. A path that ends in `/` serves a folder below
 * itself. The longest path that matches counts.
 *
 * @param moreHeaders Headers of every response.
 */
export async function serve(content: Record<string, Content>, moreHeaders: Record<string, string> = {}): Promise<Site> {
  const paths = Object.keys(content).sort((a, b) => b.length - a.length)

  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://127.0.0.1').pathname)
    const mount = paths.find((p) => p === path || (p.endsWith('/') && path.startsWith(p)))
    const found = mount === undefined ? undefined : content[mount]
    const type = mimeTypes[extname(path)] ?? mimeTypes['.html']!
    const headers = {
      'Content-Type': type,
      'Cache-Control': 'no-store',
      // A sandboxed frame has an origin of its own, and loads its modules from this one.
      'Access-Control-Allow-Origin': '*',
      ...moreHeaders,
    }

    if (typeof found === 'string' && mount === path) {
      response.writeHead(200, headers).end(found)
      return
    }
    const file = typeof found === 'object' ? fileIn(found.folder, path.slice(mount!.length)) : undefined
    if (file === undefined) {
      response.writeHead(404, { 'Content-Type': 'text/plain' }).end(`no ${path} here`)
      return
    }
    response.writeHead(200, { ...headers, 'Content-Type': mimeTypes[extname(file)] ?? type })
    createReadStream(file).pipe(response)
  })

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        // close() alone would wait for the connections that Chromium keeps.
        server.closeAllConnections()
      }),
  }
}

/**
 * A page that has the built package as `globalThis.atomicdb`, loaded as a user's
 * page would: a plain module script from static files.
 */
export function serveProduct(more: Record<string, Content> = {}, moreHeaders: Record<string, string> = {}): Promise<Site> {
  return serve({
    '/': `<!doctype html><meta charset="utf-8"><title>atomicdb</title>
      <script type="module">
        import * as atomicdb from '/dist/index.js'
        globalThis.atomicdb = atomicdb
      </script>`,
    '/dist/': { folder: join(packageFolder, 'dist') },
    ...more,
  }, moreHeaders)
}

function fileIn(folder: string, path: string): string | undefined {
  // normalize() of an absolute path cannot climb above its root.
  const file = join(folder, normalize(`/${path}`))
  if (existsSync(file) && statSync(file).isFile()) return file
  const index = join(file, 'index.html')
  return existsSync(index) ? index : undefined
}
