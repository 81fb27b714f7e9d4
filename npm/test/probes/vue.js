import { atomicdb, useAggregate, useCount, useDocument, useLive, useLiveQuery, useLiveSql, useMutation, useWriteStatus } from 'atomicdb/vue'
import { createApp, h, reactive, toRef } from 'vue'
import { initial, pipeline, probe, show, texts, write } from './common.js'

probe((root, database, of) => {
  const state = reactive({ ...initial })
  let written
  const values = (refs) => ({
    get data() {
      return refs.data.value
    },
    get error() {
      return refs.error.value
    },
    get isLoading() {
      return refs.isLoading.value
    },
  })
  const app = createApp({
    setup() {
      const list = useLiveQuery(of, () => state.where, toRef(state, 'options'))
      const document = useDocument(of, toRef(state, 'id'))
      const count = useCount(of, () => state.where)
      const rows = typeof of === 'string' ? useLiveSql('SELECT text FROM todos WHERE n > ? ORDER BY n', () => [state.over]) : useLiveSql`SELECT text FROM todos WHERE n > ${toRef(state, 'over')} ORDER BY n`
      const groups = useAggregate(of, () => pipeline(state.by))
      const tags = useLive(texts(() => state.over), () => [state.over])
      written = useMutation(write)
      const status = useWriteStatus()
      return () => h('pre', show({
        list: values(list),
        document: values(document),
        count: values(count),
        rows: values(rows),
        groups: values(groups),
        tags: values(tags),
        written: { isPending: written.isPending.value, error: written.error.value },
        status: { status: status.status.value },
      }))
    },
  })
  let failure
  app.config.errorHandler = (error) => (failure ??= error)
  if (database) app.use(atomicdb(database))
  app.mount(root)
  if (failure) throw failure
  return { set: (name, value) => (state[name] = value), write: (...args) => written.mutateAsync(...args), mutate: (...args) => written.mutate(...args), reset: () => written.reset(), unmount: () => app.unmount() }
})
