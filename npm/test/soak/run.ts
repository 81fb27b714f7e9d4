// make soak: SOAK_HOURS of simulated time, with SEED to replay.
import { Random } from '../random/random.js'
import { seed } from '../random/seed.js'
import { soak } from './soak.js'

const hours = Number(process.env.SOAK_HOURS ?? 24)
console.log(`replay: SEED=${seed} SOAK_HOURS=${hours} make soak`)
await soak(new Random(seed), hours, console.log)
console.log('acknowledged losses: 0')
