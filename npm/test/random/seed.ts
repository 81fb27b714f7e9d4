/** The seed of this run: the variable SEED, to replay one, else a new one. */
export const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 32))

/** What to type to run a test file again with the same random numbers; printed by every failure. */
export const replayOf = (file: string) => `replay: cd npm && SEED=${seed} node --import tsx --test test/${file}`
