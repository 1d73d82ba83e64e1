import { createMongoStore } from '../../server/store/mongo/store.ts'
import { numberedBatch } from '../store-kill-writer.ts'

/** A script (arguments: url, first number) that writes batches, three at once, until killed. Prints those stored. */
const [url = '', first] = process.argv.slice(2)
const store = await createMongoStore({ url })
let number = Number(first)

async function write(): Promise<never> {
  for (;;) {
    const own = number
    number += 1
    await store.insertBatch(numberedBatch(own))
    process.stdout.write(`${own}\n`)
  }
}

await Promise.race([write(), write(), write()])
