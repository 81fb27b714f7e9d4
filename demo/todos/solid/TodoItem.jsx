import { createMutation } from 'atomicdb/solid'
import { createSignal, Show } from 'solid-js'

export function TodoItem(props) {
  const { mutate: update } = createMutation((db, fields) => db.update(fields, { _id: props.todo._id }, 'todos'))
  const { mutate: remove } = createMutation((db) => db.remove({ _id: props.todo._id }, 'todos'))

  const [isEdited, setEdited] = createSignal(false)
  const focus = (input) => queueMicrotask(() => input.focus())

  function save(event) {
    if (event.key !== 'Enter') return
    setEdited(false)
    update({ text: event.target.value })
  }

  return (
    <li data-id={props.todo._id}>
      <input type="checkbox" checked={props.todo.done} onChange={(event) => update({ done: event.target.checked })} />
      <Show when={isEdited()} fallback={<span class="text" onDblClick={() => setEdited(true)}>{props.todo.text}</span>}>
        <input ref={focus} class="edit" value={props.todo.text} onKeyDown={save} onBlur={() => setEdited(false)} />
      </Show>
      <button class="delete" onClick={() => remove()}>Delete</button>
    </li>
  )
}
