import { isMainThread } from 'node:worker_threads'

/** An eventId of 36 characters, so that the store holds it against the form of a UUID. */
const poison = 'ends-the-thread-that-stores-it-0000'.padEnd(36, '0')

// Loaded into a server before all else: its thread runs out of memory at this event, as it would at one whose data need
// too much of it. The loop that answers requests does not.
if (!isMainThread) {
  const { test } = RegExp.prototype
  RegExp.prototype.test = function (text) {
    if (text === poison) for (const held = []; ; ) held.push(new Array(2_000_000).fill(0.5))
    return test.call(this, text)
  }
}
