import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageFolder } from '../harness/site.js'

/** What people can call, by the declarations of the built package: a new call is attacked as soon as it is declared. */
export interface Surface {
  /** Functions. */
  readonly functions: string[]
  /** Of each class, and of each interface that calls return: methods, and static methods. */
  readonly types: Record<string, TypeSurface>
}

interface TypeSurface {
  methods: string[]
  statics: string[]
  /** Whether people may make one with `new`. */
  isMade: boolean
}

/** Reads the declarations in dist/, as tsc writes them. */
export function surfaceOfPackage(): Surface {
  const folder = join(packageFolder, 'dist')
  const texts = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.d.ts')).map((file) => readFileSync(join(folder, file), 'utf8'))
  const surface: Surface = { functions: [], types: {} }
  const parents: Record<string, string> = {}
  for (const text of texts) {
    for (const [, name] of text.matchAll(/^export declare function (\w+)/gm)) surface.functions.push(name!)
    for (const [, name, parent, body] of text.matchAll(/^(?:export )?(?:declare )?(?:abstract )?(?:class|interface) (\w+)(?:<.*?>)?(?: extends (\w+))?.*\{\n([^]*?)^\}/gm)) {
      const members = [...body!.matchAll(/^ {4}(static )?(?:abstract )?([a-zA-Z]\w*)[<(]/gm)].filter(([, , member]) => member !== 'constructor')
      const known = (surface.types[name!] ??= { methods: [], statics: [], isMade: !/^ {4}(private|protected) constructor/m.test(body!) })
      for (const [, isStatic, member] of members) known[isStatic ? 'statics' : 'methods'].push(member!)
      if (parent) parents[name!] = parent
    }
  }
  for (const [name, known] of Object.entries(surface.types)) {
    for (let parent = parents[name]; parent; parent = parents[parent]) known.methods.push(...(surface.types[parent]?.methods ?? []))
    for (const kind of ['methods', 'statics'] as const) known[kind] = [...new Set(known[kind])]
  }
  return surface
}
