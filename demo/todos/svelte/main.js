// A to-do list in Svelte. To try it: make demo, and open /todos/svelte/.
import { mount } from 'svelte'
import App from './App.svelte'

mount(App, { target: document.querySelector('#app') })
