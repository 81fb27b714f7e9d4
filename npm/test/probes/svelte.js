import { flushSync, mount, unmount } from 'svelte'
import { probe } from './common.js'
import Probe from './Probe.svelte'

probe((root, database, of) => {
  const component = mount(Probe, { target: root, props: { database, of } })
  return {
    set: (name, value) => {
      component.set(name, value)
      flushSync()
    },
    write: (...args) => component.calls().mutateAsync(...args),
    mutate: (...args) => component.calls().mutate(...args),
    reset: () => component.calls().reset(),
    unmount: () => unmount(component),
  }
})
