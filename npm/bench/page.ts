import type { Library } from './library.js'
import { runSuite, type Samples, type SuiteLibrary } from './rxdb-suite/suite.js'
import { makePeople, type Person } from './people.js'
import { workloads } from './all.js'
import { runRole, type Role } from './live.js'
import type { Figure, Work, Workload } from './workloads.js'

/** What the runner tells a page: JSON in the query of the page's address. */
export interface PageOptions {
  people: number
  seed: number
  againMillis: number
  onceMillis: number
  /** Run 'reopen' as soon as the script runs: waiting for the runner's call would count as time. */
  reopen?: true
  /** This page was opened by another page of the benchmark, for this. */
  role?: Role
}

declare global {
  /** What this page's library is and has. */
  var libraryDoes: Record<'inMemory' | 'persistent' | 'onlyLive' | NonNullable<Workload['needs']>, boolean>
  /** Runs one workload in this page; rejects if an answer was wrong. */
  var runWorkload: (name: string) => Promise<Figure>
  /** Closes what this page has opened. */
  var leavePage: () => Promise<void>
  /** Runs RxDB's suite so many times in this page; rejects if an answer was wrong. */
  var runRxDBSuite: (runs: number, seed: number) => Promise<Samples>
}

/** Defines `runRxDBSuite` for one library. */
export function startSuitePage(library: SuiteLibrary): void {
  globalThis.runRxDBSuite = (runs, seed) => runSuite(library, runs, seed)
}

/** Defines `runWorkload` for one library. */
export function startPage(library: Library): void {
  const options = JSON.parse(decodeURIComponent(location.search.slice(1))) as PageOptions
  let people: Person[] | undefined
  const work: Work = {
    library,
    seed: options.seed,
    againMillis: options.againMillis,
    onceMillis: options.onceMillis,
    get people() {
      return (people ??= makePeople(options.people, options.seed))
    },
  }
  const { inMemory, persistent, live, onlyLive = false, oneTab = false } = library
  const [tabs, shared] = [library.openInTabs !== undefined, library.openShared !== undefined]
  globalThis.libraryDoes = { inMemory, persistent, onlyLive, live: live !== undefined, liveSorted: live === 'sorted', tabs, secondTab: !oneTab, shared }
  if (options.role) {
    void runRole(options.role, work)
    return
  }
  const reopened = options.reopen && workloads.reopen!.run(work)
  globalThis.runWorkload = (name) => (name === 'reopen' && reopened) || workloads[name]!.run(work)
  globalThis.leavePage = async () => void (await work.db?.close())
}
