import { setFlagsFromString } from 'node:v8'

/**
 * Has memory taken back when the heap has grown by half. By itself V8 lets it grow to a multiple on machines with much
 * memory, and the remains of large requests would be most of what the process holds. A quarter is less than what new
 * objects have to themselves: with it V8 marks all the time, and half of the CPU of a flood of small requests was that.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--heap-growing-percent=50')
}
