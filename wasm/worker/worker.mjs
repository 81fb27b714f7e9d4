// What Cloudflare runs: a Worker that sends /{db}/… to the Durable Object of that database, and the object, in which Go
// answers. See doc.go.
import { DurableObject } from 'cloudflare:workers'
import './wasm_exec.js'
import module from './worker.wasm'

export class AtomicDatabase extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env)
    ctx.blockConcurrencyWhile(async () => {
      const object = { sql: ctx.storage.sql, name: ctx.id.name, tokens: env.TOKENS ?? '' }
      const go = new globalThis.Go()
      const instance = await WebAssembly.instantiate(module, go.importObject)
      globalThis.atomicdbObject = object // Go takes it before run() returns
      go.run(instance)
      if (object.error) throw new Error(object.error)
      this.answer = object.answer
      this.memory = instance.exports.mem
    })
  }

  async fetch(request) {
    const body = new Uint8Array(await request.arrayBuffer())
    const [status, headers, bytes] = this.answer(request.method, request.url, [...request.headers].flat(), body)
    return new Response([101, 204, 205, 304].includes(status) ? null : bytes, { status, headers })
  }
}

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url)
    if (pathname === '/health') return Response.json({ status: 'ok' })
    const [, name] = pathname.split('/')
    // Who has no token makes no object.
    if (!/^[\w-]{1,64}$/.test(name) || !request.headers.has('authorization')) {
      return Response.json({ title: 'Unauthorized', status: 401, code: 'unauthorized', detail: 'expected /{db}/… and a bearer token' }, { status: 401, headers: { 'content-type': 'application/problem+json', 'www-authenticate': 'Bearer' } })
    }
    return env.DATABASES.get(env.DATABASES.idFromName(name)).fetch(request)
  },
}
