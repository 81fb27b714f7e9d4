import { AtomicDB } from 'atomicdb'
import { count } from './format.js'

const name = 'atomicdb-demo-plug'
const button = document.getElementById('pull')
const bar = document.getElementById('pull-progress')
const done = document.getElementById('pull-done')
const figure = id => document.getElementById(`pull-${id}`)

/** Trusted Types lets a worker start from an address that a policy has passed: this one passes a single file. */
const policy = globalThis.trustedTypes?.createPolicy('demo', { createScriptURL: () => new URL('plug-worker.js', import.meta.url).href })

/** Connects the button that kills a worker in the middle of its writes, and counts what is left. */
export function startPlug() {
  button.addEventListener('click', async () => {
    if (button.ariaBusy === 'true') return
    button.ariaBusy = 'true'
    done.textContent = 'Writing…'
    for (const id of ['acknowledged', 'found', 'lost']) figure(id).textContent = '–'
    try {
      await AtomicDB.destroy(name)
      await countAgain(await writeAndKill())
    } catch (error) {
      done.textContent = error.message
    }
    button.ariaBusy = 'false'
  })
}

/** Starts the worker and ends it at a random moment. Resolves to the numbers whose writes were acknowledged. */
function writeAndKill() {
  const enough = 3000 + Math.floor(4000 * Math.random())
  const acknowledged = []
  return new Promise((resolve, reject) => {
    const worker = new Worker(policy?.createScriptURL('') ?? new URL('plug-worker.js', import.meta.url), { type: 'module' })
    worker.onerror = event => reject(new Error(event.message))
    worker.onmessage = ({ data }) => {
      if (data.problem) return reject(new Error(data.problem))
      acknowledged.push(...data)
      bar.value = acknowledged.length
      figure('acknowledged').textContent = count(acknowledged.length)
      if (acknowledged.length < enough) return
      worker.onmessage = null
      worker.terminate()
      resolve(acknowledged)
    }
  })
}

async function countAgain(acknowledged) {
  done.textContent = 'Killed. Opening what it left…'
  const db = await AtomicDB.open(name)
  const found = new Set(await db.documentIds('writes'))
  await db.close()
  const lost = acknowledged.filter(id => !found.has(id)).length
  figure('found').textContent = count(found.size)
  figure('lost').textContent = count(lost)
  done.textContent = lost === 0
    ? `All ${count(acknowledged.length)} acknowledged writes are there. Writes that were under way may be there too.`
    : `${count(lost)} acknowledged writes are missing: that is a bug.`
}
