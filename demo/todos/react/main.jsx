// A to-do list in React. To try it: make demo, and open /todos/react/.
import { AtomicDB } from 'atomicdb'
import { AtomicDBProvider } from 'atomicdb/react'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './App.jsx'

const open = () => AtomicDB.open('todos', globalThis.todosOptions)

createRoot(document.querySelector('#app')).render(
  <StrictMode>
    <AtomicDBProvider database={open}>
      <App />
    </AtomicDBProvider>
  </StrictMode>,
)
