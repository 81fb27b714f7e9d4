import type { CityGroup } from './library.js'

/** Groups by city in JavaScript, as a program does whose library has no aggregates. */
export class Groups {
  readonly #sums = new Map<string, { n: number; sum: number }>()

  add(city: string, age: number): void {
    const group = this.#sums.get(city)
    if (group) {
      group.n++
      group.sum += age
    } else {
      this.#sums.set(city, { n: 1, sum: age })
    }
  }

  all(): CityGroup[] {
    return [...this.#sums].map(([city, { n, sum }]) => ({ city, n, mean: sum / n }))
  }
}
