import { Buffer } from 'node:buffer'

/**
 * Whole numbers in a few bytes each: seven bits a byte, lowest first, the sign in the lowest bit. A year of a user's
 * days is 365 bytes, where an array of BSON takes eleven times as much.
 */
export function packNumbers(numbers: readonly number[]): Buffer {
  const bytes: number[] = []
  for (const number of numbers) {
    let rest = number < 0 ? -2 * number - 1 : 2 * number
    while (rest > 127) {
      bytes.push((rest % 128) + 128)
      rest = Math.floor(rest / 128)
    }
    bytes.push(rest)
  }
  return Buffer.from(bytes)
}

export function unpackNumbers(bytes: Uint8Array): number[] {
  const numbers: number[] = []
  let value = 0
  let scale = 1
  for (const byte of bytes) {
    value += (byte % 128) * scale
    if (byte > 127) {
      scale *= 128
      continue
    }
    numbers.push(value % 2 === 1 ? -(value + 1) / 2 : value / 2)
    value = 0
    scale = 1
  }
  return numbers
}

/** Ascending numbers as the first and the steps between them. */
export function packAscending(numbers: readonly number[]): Buffer {
  return packNumbers(numbers.map((number, index) => (index === 0 ? number : number - numbers[index - 1]!)))
}

export function unpackAscending(bytes: Uint8Array): number[] {
  let last = 0
  return unpackNumbers(bytes).map((step) => {
    last += step
    return last
  })
}
