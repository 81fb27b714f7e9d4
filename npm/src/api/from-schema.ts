// Types alone: what JSON Schema and Standard Schema say about documents. Nothing of this file is left in JavaScript.

/**
 * The documents that a JSON Schema (draft 2020-12) describes. The schema has to be written `as const`.
 *
 * - `properties` are optional unless they are `required`.
 * - Without `additionalProperties`, the type has the named properties alone, so that a wrong name is seen. `true` adds
 *   properties of any type, and a schema adds properties of its type.
 * - `prefixItems` is a tuple of exactly these elements, unless `items` describes more of them or `minItems` asks for
 *   fewer.
 * - `anyOf`, `oneOf` and `allOf` combine with what stands beside them. `$ref` follows pointers into the same schema,
 *   also to itself, and to the `$id` of a schema of `Schemas`, which are those handed over. What TypeScript cannot say,
 *   such as `not`, `if` and `pattern`, adds nothing.
 *
 * @example
 * ```ts
 * const schema = {
 *   type: 'object',
 *   properties: { name: { type: 'string' }, age: { type: ['integer', 'null'] } },
 *   required: ['name'],
 * } as const
 * type User = FromSchema<typeof schema> // { name: string; age?: number | null }
 * ```
 */
export type FromSchema<S, Schemas extends readonly unknown[] = []> = Inferred<S, [S, Schemas]>

/**
 * A validator of zod, valibot, arktype or any other library that implements
 * [Standard Schema](https://standardschema.dev), as far as AtomicDB uses it.
 */
export interface StandardSchema<Output = any> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => unknown
    readonly types?: { readonly input: any; readonly output: Output } | undefined
  }
}

/** What a validator of Standard Schema returns: `InferStandard<typeof schema>`. */
export type InferStandard<S extends StandardSchema> = NonNullable<S['~standard']['types']>['output']

/**
 * @typeParam Root The schema that pointers begin in, and those that addresses lead to.
 * @typeParam Followed The pointers that led here without a property or an element between them.
 */
type Inferred<S, Root, Followed = never> = [0] extends [1 & S]
  ? any
  : S extends boolean
    ? S extends false
      ? never
      : unknown
    : Flat<Own<S, Root> & Referred<S, Root, Followed> & Combined<S, Root, Followed>>

/** One object type for an intersection of several. */
type Flat<V> = V extends object ? (V extends readonly unknown[] ? V : { [K in keyof V]: V[K] }) : V

/** What the keywords of the schema itself say. */
type Own<S, Root> = S extends { readonly const: infer C }
  ? Writable<C>
  : S extends { readonly enum: readonly (infer E)[] }
    ? Writable<E>
    : S extends { readonly type: infer Name }
      ? OfType<Name extends readonly (infer One)[] ? One : Name, S, Root>
      : S extends { readonly properties: object } | { readonly required: readonly string[] } | { readonly additionalProperties: unknown }
        ? ObjectOf<S, Root>
        : S extends { readonly prefixItems: readonly unknown[] } | { readonly items: unknown }
          ? ArrayOf<S, Root>
          : unknown

type OfType<Name, S, Root> = Name extends 'string'
  ? string
  : Name extends 'number' | 'integer'
    ? number
    : Name extends 'boolean'
      ? boolean
      : Name extends 'null'
        ? null
        : Name extends 'object'
          ? ObjectOf<S, Root>
          : Name extends 'array'
            ? ArrayOf<S, Root>
            : any

/** A value as documents hold it: `as const` has made it readonly. */
type Writable<V> = V extends object ? { -readonly [K in keyof V]: Writable<V[K]> } : V

// ---------------------------------------------------------------- objects

type ObjectOf<S, Root> = Named<S extends { readonly properties: infer P } ? P : {}, S extends { readonly required: readonly (infer R)[] } ? R : never, Root> & Others<S, Root>

type Named<P, Required, Root> = {
  -readonly [K in keyof P as K extends Required ? K : never]: Inferred<P[K], Root>
} & {
  -readonly [K in keyof P as K extends Required ? never : K]?: Inferred<P[K], Root>
} & {
  [K in Exclude<Required, keyof P> & string]: Present
}

/** Any value, but not undefined: what is required here and described elsewhere is not optional there. */
type Present = {} | null

/** Properties that have no name in the schema. TypeScript wants those that have one to fit in too. */
type Others<S, Root> = S extends { readonly additionalProperties: infer A }
  ? A extends false
    ? {}
    : A extends true
      ? { [name: string]: any }
      : { [name: string]: Inferred<A, Root> | NamedValues<S, Root> }
  : S extends { readonly properties: object } | { readonly required: readonly string[] }
    ? {}
    : { [name: string]: unknown }

type NamedValues<S, Root> = S extends { readonly properties: infer P; readonly required: readonly (infer R)[] }
  ? ValuesOf<P, Root> | (Exclude<keyof P, R> extends never ? never : undefined)
  : S extends { readonly properties: infer P }
    ? ValuesOf<P, Root> | undefined
    : never

type ValuesOf<P, Root> = { [K in keyof P]: Inferred<P[K], Root> }[keyof P]

// ---------------------------------------------------------------- arrays

type ArrayOf<S, Root> = S extends { readonly prefixItems: infer P extends readonly unknown[] }
  ? [...Elements<P, S, Root>, ...(S extends { readonly items: infer I } ? Rest<I, Root> : [])]
  : S extends { readonly items: infer I }
    ? Inferred<I, Root>[]
    : unknown[]

type Elements<P extends readonly unknown[], S, Root> = S extends { readonly minItems: infer Least extends number }
  ? FirstOf<P, Least> extends infer First extends readonly unknown[]
    ? P extends readonly [...First, ...infer Others]
      ? [...InferredAll<First, Root>, ...Partial<InferredAll<Others, Root>>]
      : InferredAll<P, Root>
    : never
  : InferredAll<P, Root>

type InferredAll<P extends readonly unknown[], Root> = { -readonly [I in keyof P]: Inferred<P[I], Root> }

/** The first `Count` elements; all of them, if there are fewer. */
type FirstOf<P extends readonly unknown[], Count extends number, First extends readonly unknown[] = []> = First['length'] extends Count
  ? First
  : P extends readonly [infer One, ...infer Others]
    ? FirstOf<Others, Count, [...First, One]>
    : First

type Rest<I, Root> = I extends false ? [] : Inferred<I, Root>[]

// ---------------------------------------------------------------- references and combinations

type Referred<S, Root, Followed> = S extends { readonly $ref: infer Pointer extends string }
  ? Pointer extends Followed
    ? unknown // it leads to itself
    : Root extends [infer Here, infer Schemas extends readonly unknown[]]
      ? Pointer extends `#${infer Fragment}`
        ? Inferred<Target<Fragment, Here>, Root, Followed | Pointer>
        : Handed<Pointer, Schemas> extends [infer There, infer Fragment]
          ? Inferred<Target<Fragment, There>, [There, Schemas], Exclude<Followed, `#${string}`> | Pointer>
          : unknown
      : unknown
  : unknown

/** The schema of Schemas that an address leads to, and the fragment. */
type Handed<Address extends string, Schemas extends readonly unknown[]> = Address extends `${infer Id}#${infer Fragment}`
  ? [Extract<Schemas[number], { readonly $id: Id }>, Fragment]
  : [Extract<Schemas[number], { readonly $id: Address }>, '']

/** What a fragment points at; a schema that says nothing if it is no pointer into this schema. */
type Target<Fragment, Root> = [Root] extends [never] ? {} : Fragment extends '' ? Root : Fragment extends `/${infer Names}` ? At<Root, Names> : {}

type At<V, Names extends string> = Names extends `${infer Name}/${infer Others}` ? At<Below<V, Name>, Others> : Below<V, Names>

type Below<V, Name extends string> = Unescaped<Name> extends infer Key extends string ? (Key extends keyof V ? V[Key] : {}) : {}

type Unescaped<Name extends string> = Name extends `${infer A}~1${infer B}` ? Unescaped<`${A}/${B}`> : Name extends `${infer A}~0${infer B}` ? `${A}~${Unescaped<B>}` : Name

type Combined<S, Root, Followed> = All<S extends { readonly allOf: infer A } ? A : [], Root, Followed> &
  (S extends { readonly anyOf: readonly (infer A)[] } ? Inferred<A, Root, Followed> : unknown) &
  (S extends { readonly oneOf: readonly (infer A)[] } ? Inferred<A, Root, Followed> : unknown)

type All<Schemas, Root, Followed> = Schemas extends readonly [infer One, ...infer Others] ? Inferred<One, Root, Followed> & All<Others, Root, Followed> : unknown
