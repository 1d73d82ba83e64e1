import { createMongoStore } from '../../server/store/mongo/store.ts'
import { numberedBatch } from '../store-kill-writer.ts'

/** Run by itself with (url, first number): writes batches, three at once, until it is killed; prints those that are in. */
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
