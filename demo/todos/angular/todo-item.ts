import { afterNextRender, ChangeDetectionStrategy, Component, ElementRef, inject, Injector, Input, signal } from '@angular/core'
import type { Stored } from 'atomicdb'
import { mutation } from 'atomicdb/angular'
import type { Todo } from './todo'

@Component({
  selector: '[todo-item]',
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <input #box type="checkbox" [checked]="todo.done" (change)="update.mutate({ done: box.checked })" />
    @if (isEdited()) {
      <input #text class="edit" [value]="todo.text" (keydown.enter)="save(text.value)" (blur)="isEdited.set(false)" />
    } @else {
      <span class="text" (dblclick)="edit()">{{ todo.text }}</span>
    }
    <button class="delete" (click)="remove.mutate()">Delete</button>
  `,
})
export class TodoItem {
  @Input({ required: true }) todo!: Stored<Todo>

  readonly isEdited = signal(false)

  readonly update = mutation((db, fields: Partial<Todo>) => db.update(fields, { _id: this.todo._id }, 'todos'))
  readonly remove = mutation((db) => db.remove({ _id: this.todo._id }, 'todos'))

  private readonly injector = inject(Injector)
  private readonly element: HTMLElement = inject(ElementRef).nativeElement

  edit() {
    this.isEdited.set(true)
    afterNextRender(() => this.element.querySelector<HTMLElement>('.edit')!.focus(), { injector: this.injector })
  }

  save(text: string) {
    this.isEdited.set(false)
    this.update.mutate({ text })
  }
}
