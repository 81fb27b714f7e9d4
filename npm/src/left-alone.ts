/**
 * Has state managers leave the objects of a class alone, in which they would otherwise wrap everything, the engine too. Vue
 * asks for `__v_skip`. Valtio wraps no object that has `Symbol.iterator`; it is undefined here, so a loop still says that
 * the object is not iterable. MobX, Svelte and Immer wrap plain objects and arrays alone.
 */
export function leftAlone(type: { readonly prototype: object }): void {
  Object.defineProperties(type.prototype, { __v_skip: { value: true }, [Symbol.iterator]: { value: undefined } })
}
