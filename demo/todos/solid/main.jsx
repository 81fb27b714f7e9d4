// A to-do list in Solid. To try it: make demo, and open /todos/solid/.
import { AtomicDB } from 'atomicdb'
import { AtomicDBProvider } from 'atomicdb/solid'
import { render } from 'solid-js/web'
import { App } from './App.jsx'

const open = () => AtomicDB.open('todos', globalThis.todosOptions)

render(() => <AtomicDBProvider database={open}><App /></AtomicDBProvider>, document.querySelector('#app'))
