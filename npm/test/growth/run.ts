// `make growth`: runs each case with n, 2n, 4n and 8n of something, and fails if the time grows much faster than n. It
// is no part of `make test`, because it measures time; a case that seems to fail is measured again. ONLY=part of a
// name runs some of them; SCALE multiplies n.
import { cases } from './cases.js'

/** From n to 8n, a time that grows as n does takes 8 times as long, as n log n about 10 times, as n² 64 times. */
const allowed = 24
/** From 2n to 8n, it takes 4, 5 or 16 times as long. A first step may be higher, as where a buffer is first enlarged. */
const allowedLater = 8
/** Below so many milliseconds, 8n has not cost enough to judge. */
const enough = 60
/** Where a case is measured no further. */
const tooLong = 20_000

const only = process.env.ONLY ?? ''
const scale = Number(process.env.SCALE ?? 1)

/** The milliseconds of processor time that `work` takes: other processes do not count. */
async function measured(work: () => Promise<unknown>): Promise<number> {
  const start = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000
}

let failures = 0
for (const { name, n, prepare } of cases.filter(({ name }) => name.includes(only))) {
  let times: number[] = []
  let verdict = 'grows too fast'
  for (let attempt = 0; attempt < 3 && verdict !== 'ok'; attempt++) {
    times = []
    for (const factor of [1, 2, 4, 8]) {
      // The first run warms up what is compiled late; of all, the fastest was disturbed least. Each has a database of its
      // own, because the query cache would answer the second.
      let fastest = Infinity
      for (let again = 0; again < 3 && (again === 0 || fastest * again < 1500); again++) {
        const { run, end } = await prepare(Math.round(n * scale * factor))
        try {
          fastest = Math.min(fastest, await measured(run))
        } finally {
          await end?.()
        }
      }
      times.push(fastest)
      if (times.at(-1)! > tooLong) break
    }
    const last = times.at(-1)!
    const isIn = (factor: number, before: number) => last < factor * Math.max(before, enough / factor)
    if (times.length === 4 && (isIn(allowed, times[0]!) || isIn(allowedLater, times[1]!))) verdict = 'ok'
  }
  if (verdict !== 'ok') failures++
  console.log(`${verdict === 'ok' ? 'ok  ' : 'FAIL'} ${name}, n = ${n * scale}: ${times.map((time) => `${time < 10 ? time.toFixed(1) : Math.round(time)} ms`).join(', ')}`)
}
console.log(failures === 0 ? 'nothing grows much faster than what it is given' : `${failures} cases grow too fast`)
process.exit(failures === 0 ? 0 : 1)
