import { constants, setPriority } from 'node:os'
import { floods } from './floods.ts'

/**
 * A process of its own, so that attackers take no time from the honest client's loop: PORT SECONDS IDLE KEY [ONLY]. Prints what
 * the answers were, by attack and status. It works when nothing else wants to: attackers have machines of their own, and here
 * they would take the processors of the server they attack.
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
