// A to-do list in Vue. To try it: make demo, and open /todos/vue/.
import { AtomicDB } from 'atomicdb'
import { atomicdb } from 'atomicdb/vue'
import { createApp } from 'vue'
import App from './App.vue'

createApp(App).use(atomicdb(() => AtomicDB.open('todos', globalThis.todosOptions))).mount('#app')
