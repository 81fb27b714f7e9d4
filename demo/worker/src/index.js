// A list that all who open the page share: one Durable Object a list, and a page that shows it live.
import { AtomicDurableObject } from 'atomicdb/worker'
import page from './page.html'

export class List extends AtomicDurableObject {
  /** Who knows the address of a list may write in it. A real one would look at the token. */
  authorise() {
    return 'write'
  }
}

export default {
  fetch(request, env) {
    const { pathname } = new URL(request.url)
    if (pathname === '/') return Response.redirect(new URL(`/${crypto.randomUUID().slice(0, 8)}`, request.url), 302)
    const [, name, ...rest] = pathname.split('/')
    if (rest.length === 0) return new Response(page, { headers: { 'Content-Type': 'text/html; charset=utf-8' } })
    return env.LISTS.get(env.LISTS.idFromName(name)).fetch(request)
  },
}
