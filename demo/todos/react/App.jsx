import { useCount, useLiveQuery, useMutation, useWriteStatus } from 'atomicdb/react'
import { useState } from 'react'
import { TodoItem } from './TodoItem.jsx'

const filters = { all: {}, open: { done: false }, done: { done: true } }

export function App() {
  const [show, setShow] = useState('all')

  const { data: shown } = useLiveQuery('todos', filters[show], { sort: 'created' })
  const { data: left } = useCount('todos', { done: false })
  const { status } = useWriteStatus()

  const { mutate: insert } = useMutation((db, text) => db.insert({ text, done: false, created: Date.now() }, 'todos'))

  function add(event) {
    event.preventDefault()
    const input = event.target.elements.text
    if (input.value.trim()) insert(input.value.trim())
    input.value = ''
  }

  return (
    <>
      <form id="add" onSubmit={add}>
        <input name="text" placeholder="What is to be done?" autoComplete="off" />
      </form>
      <ul id="todos">
        {shown.map((todo) => <TodoItem key={todo._id} todo={todo} />)}
      </ul>
      <select id="show" value={show} onChange={(event) => setShow(event.target.value)}>
        <option>all</option>
        <option>open</option>
        <option>done</option>
      </select>
      <p id="left">{left} left</p>
      <p id="status">{status}</p>
    </>
  )
}
