// What the probes of frameworks.test.ts have in common: a component in each framework that asks by every call, with
// arguments that the test changes, and shows all that it sees.

/** The arguments at the start. A function stands for a condition that is one. */
export const initial = { where: { done: false }, options: { sort: 'n' }, id: 1, over: 1, by: 'done' }

/** The live value of the texts of to-dos with numbers above `n`. */
export const texts = (n) => (db) => db.liveDistinct('text', { n: { $gt: n() } }, 'todos')

/** The pipeline of the aggregate that groups by a path. */
export const pipeline = (by) => ({ groupBy: by, select: { size: { $count: true } }, sort: by })

/** The write of the probe: it waits for what the test holds it up with, and fails if it is told why. */
export const write = async (db, text, failure) => {
  const id = await db.insert({ text, n: 100, done: false }, 'todos')
  await globalThis.held
  if (failure) throw new Error(failure)
  return id
}

/** What a component sees, as the text that it shows. Each time that it is made is in `shown`. */
export function show({ list, document, count, rows, groups, tags, written, status }) {
  const seen = {
    list: list.data.map(({ text }) => text),
    error: list.error?.code ?? list.error?.message,
    isLoading: list.isLoading,
    document: document.data?.text,
    count: count.data,
    rows: rows.data.map(({ text }) => text),
    tags: tags.data,
    groups: groups.data.map(({ size }) => size),
    isPending: written.isPending,
    failure: written.error?.message,
    status: status.status,
  }
  globalThis.shown.push(seen)
  return JSON.stringify(seen)
}

/** Makes the probe of a page: `mount` puts the component into the page, and returns how it is told things. */
export function probe(mount) {
  globalThis.shown = []
  globalThis.probe = (database, of = 'todos') => {
    globalThis.shown.length = 0
    const root = document.createElement('main')
    document.body.replaceChildren(root)
    return mount(root, database, of)
  }
}
