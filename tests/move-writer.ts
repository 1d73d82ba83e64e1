import { moveStore } from '../server/store/move/move.ts'
import { openStore } from '../server/store/open.ts'

/** A script (arguments: source, target) that moves one store into another and prints each step. */
const [source = '', target = ''] = process.argv.slice(2)
const [from, to] = await Promise.all([source, target].map(open))
const tell = (step: string, events: number) => process.stdout.write(`${step} ${events}\n`)
// A process killed after its last step has already found both sides equal.
const isEqual = await moveStore({ from: from!, to: to!, source, watchMs: 0, tell }).then(
  (receipt) => receipt.isEqual,
  (error: Error) => {
    if (/is finished/.test(error.message)) return true
    throw error
  },
)
process.stdout.write(`equal ${isEqual}\n`)
await Promise.all([from!.close(), to!.close()])

function open(address: string) {
  const mongoUrl = address.startsWith('mongodb') ? address : null
  return openStore({ mongoUrl, storePath: mongoUrl === null ? address : '', storeReaders: 1 })
}
