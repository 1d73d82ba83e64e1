/**
 * What the process and one of its threads tell each other while the thread stands inside SQLite and hears no message.
 * A thread must not be ended there, neither by `terminate()` nor by `exit()`: the package that Node 20 takes for SQLite
 * ends the whole process then ("terminate called after throwing an instance of 'Napi::Error'").
 */
export class Reins {
  /** To be handed to the thread. */
  readonly shared: Int32Array<SharedArrayBuffer>

  constructor(shared: Int32Array<SharedArrayBuffer> = new Int32Array(new SharedArrayBuffer(8))) {
    this.shared = shared
  }

  /** To the thread: work on nothing more, and leave what is at hand at the next place where that is possible. */
  pull(): void {
    Atomics.store(this.shared, PULLED, 1)
  }

  get isPulled(): boolean {
    return Atomics.load(this.shared, PULLED) === 1
  }

  /** By the thread, around everything that it does; one that begins counts as at work. */
  rest(): void {
    Atomics.store(this.shared, STATE, RESTS)
    Atomics.notify(this.shared, STATE)
  }

  /** False when nothing may be begun any more. */
  work(): boolean {
    Atomics.store(this.shared, STATE, WORKS)
    return !this.isPulled
  }

  /** Blocks until the thread rests, for so long at most. */
  waitForRest(timeoutMs: number): void {
    Atomics.wait(this.shared, STATE, WORKS, timeoutMs)
  }
}

const PULLED = 0
const STATE = 1
const WORKS = 0
const RESTS = 1
