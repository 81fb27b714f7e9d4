import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Page } from 'playwright-core'

/** The parts of the answer of DevTools' Profiler.stop that are read here. */
interface Profile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[]
  samples: number[]
  timeDeltas: number[]
}

/**
 * Samples the page's stack every 100 microseconds while `work` runs, and writes
 * the profile to `file` for DevTools. Returns the functions that took longest.
 */
export async function profile(page: Page, file: string, work: () => Promise<unknown>): Promise<string> {
  const devTools = await page.context().newCDPSession(page)
  await devTools.send('Profiler.enable')
  await devTools.send('Profiler.setSamplingInterval', { interval: 100 })
  await devTools.send('Profiler.start')
  const figure = await work()
  const { profile } = (await devTools.send('Profiler.stop')) as { profile: Profile }
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, JSON.stringify(profile))
  return [JSON.stringify(figure), ...longest(profile, 30), `written to ${file}`].join('\n')
}

function longest({ nodes, samples, timeDeltas }: Profile, count: number): string[] {
  const names = new Map(nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => [
    id,
    functionName || `(anonymous ${url.split('/').at(-1)}:${lineNumber + 1})`,
  ]))
  const micros = new Map<string, number>()
  let all = 0
  samples.forEach((id, n) => {
    const name = names.get(id)!
    micros.set(name, (micros.get(name) ?? 0) + timeDeltas[n]!)
    all += timeDeltas[n]!
  })
  return [...micros]
    .sort((a, b) => b[1] - a[1])
    .slice(0, count)
    .map(([name, time]) => `${((100 * time) / all).toFixed(1).padStart(5)} %  ${(time / 1_000).toFixed(1).padStart(9)} ms  ${name}`)
}
