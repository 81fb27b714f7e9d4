import { createCount, createLiveQuery, createMutation, createWriteStatus } from 'atomicdb/solid'
import { createSignal, For } from 'solid-js'
import { TodoItem } from './TodoItem.jsx'

const filters = { all: {}, open: { done: false }, done: { done: true } }

export function App() {
  const [show, setShow] = createSignal('all')

  const shown = createLiveQuery('todos', () => filters[show()], { sort: 'created' })
  const left = createCount('todos', { done: false })
  const saved = createWriteStatus()

  const { mutate: insert } = createMutation((db, text) => db.insert({ text, done: false, created: Date.now() }, 'todos'))

  function add(event) {
    event.preventDefault()
    const input = event.target.elements.text
    if (input.value.trim()) insert(input.value.trim())
    input.value = ''
  }

  return (
    <>
      <form id="add" onSubmit={add}>
        <input name="text" placeholder="What is to be done?" autocomplete="off" />
      </form>
      <ul id="todos">
        <For each={shown.data}>{(todo) => <TodoItem todo={todo} />}</For>
      </ul>
      <select id="show" value={show()} onChange={(event) => setShow(event.target.value)}>
        <option>all</option>
        <option>open</option>
        <option>done</option>
      </select>
      <p id="left">{left.data} left</p>
      <p id="status">{saved.status}</p>
    </>
  )
}
