import { ChangeDetectionStrategy, Component, signal } from '@angular/core'
import { liveCount, liveQuery, mutation, writeStatus } from 'atomicdb/angular'
import type { Todo } from './todo'
import { TodoItem } from './todo-item'

const filters = { all: {}, open: { done: false }, done: { done: true } }

@Component({
  selector: 'todo-app',
  imports: [TodoItem],
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <form id="add" (submit)="add($event, text)">
      <input #text name="text" placeholder="What is to be done?" autocomplete="off" />
    </form>
    <ul id="todos">
      @for (todo of shown.data(); track todo._id) {
        <li todo-item [todo]="todo" [attr.data-id]="todo._id"></li>
      }
    </ul>
    <select #choice id="show" (change)="show.set($any(choice.value))">
      <option>all</option>
      <option>open</option>
      <option>done</option>
    </select>
    <p id="left">{{ left.data() }} left</p>
    <p id="status">{{ saved.status() }}</p>
  `,
})
export class App {
  readonly show = signal<keyof typeof filters>('all')

  readonly shown = liveQuery<Todo>('todos', () => filters[this.show()], { sort: 'created' })
  readonly left = liveCount<Todo>('todos', { done: false })
  readonly saved = writeStatus()

  private readonly insert = mutation((db, text: string) => db.insert<Todo>({ text, done: false, created: Date.now() }, 'todos'))

  add(event: Event, input: HTMLInputElement) {
    event.preventDefault()
    if (input.value.trim()) this.insert.mutate(input.value.trim())
    input.value = ''
  }
}
