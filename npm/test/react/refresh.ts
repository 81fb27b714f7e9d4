// What bundlers do for fast refresh while a program is developed: React is told before it starts, and then of each
// component that was edited.
import { injectIntoGlobalHook, performReactRefresh, register, setSignature } from 'react-refresh/runtime'

injectIntoGlobalHook(globalThis)

/**
 * Notes a component, of which the one before under the same name is an older version. A version with another
 * signature of its hooks does not keep the state.
 */
export function refreshable<C>(name: string, component: C, signature = ''): C {
  register(component, name)
  setSignature(component, signature)
  return component
}

/** Shows the newest version of each component. */
export const refresh = (): unknown => performReactRefresh()
