import { useMutation } from 'atomicdb/react'
import { memo, useState } from 'react'

export const TodoItem = memo(function TodoItem({ todo }) {
  const { mutate: update } = useMutation((db, fields) => db.update(fields, { _id: todo._id }, 'todos'))
  const { mutate: remove } = useMutation((db) => db.remove({ _id: todo._id }, 'todos'))

  const [isEdited, setEdited] = useState(false)

  function save(event) {
    if (event.key !== 'Enter') return
    setEdited(false)
    update({ text: event.target.value })
  }

  return (
    <li data-id={todo._id}>
      <input type="checkbox" checked={todo.done} onChange={(event) => update({ done: event.target.checked })} />
      {isEdited
        ? <input autoFocus className="edit" defaultValue={todo.text} onKeyDown={save} onBlur={() => setEdited(false)} />
        : <span className="text" onDoubleClick={() => setEdited(true)}>{todo.text}</span>}
      <button className="delete" onClick={() => remove()}>Delete</button>
    </li>
  )
})
