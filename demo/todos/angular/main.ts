// A to-do list in Angular. To try it: make demo, and open /todos/angular/. There, Angular compiles its templates in the
// page, which the first import is for; the Angular CLI does that when it builds, without this import.
import '@angular/compiler'
import { bootstrapApplication } from '@angular/platform-browser'
import { AtomicDB, type OpenOptions } from 'atomicdb'
import { provideAtomicDB } from 'atomicdb/angular'
import { App } from './app'

const open = () => AtomicDB.open('todos', (globalThis as { todosOptions?: OpenOptions }).todosOptions)

document.querySelector('#app')!.append(document.createElement('todo-app'))
await bootstrapApplication(App, { providers: [provideAtomicDB(open)] })
