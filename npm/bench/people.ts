import { Random } from '../test/random/random.js'

/** The document that every library stores: about 280 bytes of JSON. */
export interface Person {
  _id: string
  name: string
  age: number
  email: string
  active: boolean
  tags: string[]
  address: { city: string; zip: string }
  score: number
  bio: string
}

/** There are 60 ages, so one age is a sixtieth of the people. */
export const ages = { lowest: 18, highest: 77 }

/** There are 50 cities, so one city is two percent of the people. */
export const cities = Array.from({ length: 50 }, (_, n) => `${['North', 'South', 'East', 'West', 'New '][n % 5]}${['field', 'haven', 'bridge', 'mouth', 'ford', 'wick', 'gate', 'ton', 'ham', 'stead'][Math.floor(n / 5)]}`)

/** Scores are spread evenly between 0 and this. */
export const highestScore = 1_000

const givenNames = ['Ada', 'Alan', 'Barbara', 'Claude', 'Donald', 'Edsger', 'Frances', 'Grace', 'Hedy', 'John', 'Katherine', 'Leslie', 'Margaret', 'Niklaus', 'Radia', 'Tony']
const syllables = ['ber', 'don', 'el', 'fa', 'gri', 'hol', 'ing', 'ja', 'ker', 'lin', 'mo', 'nar', 'os', 'pet', 'qui', 'ros', 'sen', 'tor', 'ul', 'vik', 'wen', 'yar', 'zim']
const interests = ['chess', 'climbing', 'cooking', 'cycling', 'gardens', 'jazz', 'maps', 'painting', 'poetry', 'rowing', 'running', 'sailing', 'theatre', 'travel']

/**
 * `count` people, the same for the same seed. They are new objects each time,
 * since LokiJS marks the objects it stores.
 */
export function makePeople(count: number, seed: number): Person[] {
  const random = new Random(seed)
  return Array.from({ length: count }, (_, n) => {
    const given = random.pick(givenNames)
    const family = capitalised(random.list(2, 4, () => random.pick(syllables)).join(''))
    return {
      // Ascending, as MongoDB's ids are, which start with the time.
      _id: hex(0x66000000 + n, 8) + hex(random.int(0, 0xffffffff), 8) + hex(n, 8),
      name: `${given} ${family}`,
      age: random.int(ages.lowest, ages.highest),
      email: `${given}.${family}.${n.toString(36)}@example.com`.toLowerCase(),
      active: random.chance(0.5),
      tags: random.list(1, 4, () => random.pick(interests)),
      address: { city: random.pick(cities), zip: String(random.int(10_000, 99_999)) },
      score: Math.round(random.next() * highestScore * 1e6) / 1e6,
      bio: `${given} enjoys ${random.pick(interests)}, reads about ${random.pick(interests)} and has lived in ${random.pick(cities)}.`,
    }
  })
}

const hex = (n: number, digits: number) => n.toString(16).padStart(digits, '0')
const capitalised = (word: string) => word[0]!.toUpperCase() + word.slice(1)
