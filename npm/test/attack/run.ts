// Attacks the built package from outside, in Node and in Chromium, in this thread and with the engine in a worker:
// ATTACK_SECONDS for each of the four, SEED to replay. `make attack` calls this.
import { seed } from '../random/seed.js'
import { attackEverywhere } from './everywhere.js'

const seconds = Number(process.env.ATTACK_SECONDS ?? 60)
const failed = await attackEverywhere(seed, seconds, (line) => console.log(line))
process.exit(failed ? 1 : 0)
