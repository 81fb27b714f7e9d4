import { AtomicDBProvider, createAggregate, createCount, createDocument, createLive, createLiveQuery, createLiveSql, createMutation, createWriteStatus } from 'atomicdb/solid'
import { createSignal } from 'solid-js'
import { render } from 'solid-js/web'
import { initial, pipeline, probe, show, texts, write } from './common.js'

probe((root, database, of) => {
  const [state, setState] = createSignal(initial, { equals: false })
  let written
  function Probe() {
    const list = createLiveQuery(of, () => state().where, () => state().options)
    const document = createDocument(of, () => state().id)
    const count = createCount(of, () => state().where)
    const rows = typeof of === 'string' ? createLiveSql('SELECT text FROM todos WHERE n > ? ORDER BY n', () => [state().over]) : createLiveSql`SELECT text FROM todos WHERE n > ${() => state().over} ORDER BY n`
    const groups = createAggregate(of, () => pipeline(state().by))
    const tags = createLive(texts(() => state().over), () => [state().over])
    written = createMutation(write)
    const status = createWriteStatus()
    return <pre>{show({ list, document, count, rows, groups, tags, written, status })}</pre>
  }
  const unmount = render(() => (database ? <AtomicDBProvider database={database}><Probe /></AtomicDBProvider> : <Probe />), root)
  return { set: (name, value) => setState({ ...state(), [name]: value }), write: (...args) => written.mutateAsync(...args), mutate: (...args) => written.mutate(...args), reset: () => written.reset(), unmount }
})
