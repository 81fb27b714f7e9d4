export interface Todo {
  text: string
  done: boolean
  created: number
}
