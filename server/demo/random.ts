/** A stream of numbers that is the same on every machine for the same seed. */
export interface Random {
  /** 0 <= x < 1 */
  next(): number
  /** A whole number, 0 <= n < below. */
  int(below: number): number
  chance(probability: number): boolean
  pick<T>(from: readonly T[]): T
  /** One of the values, as often as its weight says. */
  weighted<T>(from: readonly (readonly [weight: number, value: T])[]): T
  /** Waiting times of independent events. */
  exponential(mean: number): number
  /** Durations of human acts: half are below the median, a few are many times as long. */
  logNormal(median: number, spread: number): number
  hex(digits: number): string
}

/** sfc32 (Chris Doty-Humphrey), its state filled from any number of whole-numbered seeds. */
export function createRandom(...seeds: number[]): Random {
  let mixed = 0x9e3779b9
  for (const seed of seeds) {
    mixed = scramble(mixed ^ (seed >>> 0))
    mixed = scramble(mixed ^ (Math.floor(seed / 2 ** 32) >>> 0))
  }
  let a = scramble(mixed + 1)
  let b = scramble(mixed + 2)
  let c = scramble(mixed + 3)
  let counter = 1

  function bits(): number {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  for (let i = 0; i < 8; i++) bits()
  const next = () => bits() / 2 ** 32

  return {
    next,
    int: (below) => Math.floor(next() * below),
    chance: (probability) => next() < probability,
    pick: (from) => from[Math.floor(next() * from.length)]!,
    weighted(from) {
      let left = next() * from.reduce((sum, [weight]) => sum + weight, 0)
      for (const [weight, value] of from) {
        left -= weight
        if (left < 0) return value
      }
      return from.at(-1)![1]
    },
    exponential: (mean) => -Math.log(1 - next()) * mean,
    logNormal(median, spread) {
      const normal = Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
      return median * Math.exp(spread * normal)
    },
    hex(digits) {
      let text = ''
      while (text.length < digits) text += bits().toString(16).padStart(8, '0')
      return text.slice(0, digits)
    },
  }
}

/** Spreads neighbouring seeds over all 32 bits (the finaliser of MurmurHash3, public domain). */
function scramble(value: number): number {
  let mixed = value | 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
