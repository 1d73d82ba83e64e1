import { constants, setPriority } from 'node:os'
import { floods } from './floods.ts'

/**
 * A separate process, so that attacks do not slow down the honest client's event loop. Arguments: PORT SECONDS IDLE KEY
 * [ONLY]. Prints the number of answers by attack and status. It has low priority: real attackers use machines of their
 * own, while here they would take CPU from the server under attack.
 */
setPriority(constants.priority.PRIORITY_LOW)
const [port, seconds, idle, browserKey, only = ''] = process.argv.slice(2)
const until = performance.now() + Number(seconds) * 1000
const counts: Record<string, Record<number, number>> = {}
await Promise.all(
  Object.entries(floods)
    .filter(([name]) => name.includes(only))
    .map(([name, attack]) => {
      const statuses: Record<number, number> = {}
      counts[name] = statuses
      const running = () => performance.now() < until
      return attack({ port: Number(port), browserKey: browserKey || null, running, statuses }, Number(idle))
    }),
)
console.log(JSON.stringify(counts))
process.exit()
