import { isMainThread } from 'node:worker_threads'

/** An event id of 36 characters, the length at which the store tests whether an id is a UUID. */
const poison = 'ends-the-thread-that-stores-it-0000'.padEnd(36, '0')

// Preloaded into a server: its storing thread runs out of memory at this event, as it might at one with huge data. The
// main thread, which answers requests, does not.
if (!isMainThread) {
  const { test } = RegExp.prototype
  RegExp.prototype.test = function (text) {
    if (text === poison) for (const held = []; ; ) held.push(new Array(2_000_000).fill(0.5))
    return test.call(this, text)
  }
}
