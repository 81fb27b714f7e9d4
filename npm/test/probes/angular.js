import '@angular/compiler'
import { ApplicationRef, Component, createComponent, EnvironmentInjector, ErrorHandler, signal } from '@angular/core'
import { createApplication } from '@angular/platform-browser'
import { liveAggregate, liveCount, liveDocument, liveQuery, liveSql, liveValue, mutation, provideAtomicDB, writeStatus } from 'atomicdb/angular'
import { initial, pipeline, probe, show, texts, write } from './common.js'

probe(async (root, database, of) => {
  const state = signal(initial)
  const values = (signals) => ({
    get data() {
      return signals.data()
    },
    get error() {
      return signals.error()
    },
    get isLoading() {
      return signals.isLoading()
    },
  })
  class Probe {
    constructor() {
      this.list = values(liveQuery(of, () => state().where, () => state().options))
      this.document = values(liveDocument(of, () => state().id))
      this.count = values(liveCount(of, () => state().where))
      this.rows = values(typeof of === 'string' ? liveSql('SELECT text FROM todos WHERE n > ? ORDER BY n', () => [state().over]) : liveSql`SELECT text FROM todos WHERE n > ${() => state().over} ORDER BY n`)
      this.groups = values(liveAggregate(of, () => pipeline(state().by)))
      this.tags = values(liveValue(texts(() => state().over), () => [state().over]))
      this.written = mutation(write)
      this.status = writeStatus()
    }
    show() {
      const written = { isPending: this.written.isPending(), error: this.written.error() }
      return show({ ...this, written, status: { status: this.status.status() } })
    }
  }
  const compiled = Component({ selector: 'main', template: '<pre>{{ show() }}</pre>' })(Probe) ?? Probe
  const throwing = { handleError: (error) => reportError(error) }
  const app = await createApplication({ providers: [{ provide: ErrorHandler, useValue: throwing }, ...(database ? [provideAtomicDB(database)] : [])] })
  const component = createComponent(compiled, { environmentInjector: app.injector.get(EnvironmentInjector), hostElement: root })
  app.injector.get(ApplicationRef).attachView(component.hostView)
  app.tick()
  return { set: (name, value) => state.update((now) => ({ ...now, [name]: value })), write: (...args) => component.instance.written.mutateAsync(...args), mutate: (...args) => component.instance.written.mutate(...args), reset: () => component.instance.written.reset(), unmount: () => app.destroyed || app.destroy() }
})
