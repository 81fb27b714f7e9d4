import { liveWorkloads } from './live.js'
import { workloads as alone, type Workload } from './workloads.js'

/** Every row of the report, in the order in which they run. What changes the stored documents comes last. */
export const workloads: Record<string, Workload> = { ...alone, ...liveWorkloads }
