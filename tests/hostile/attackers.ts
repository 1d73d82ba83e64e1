import { floods } from './floods.ts'

/**
 * A process of its own, so that attackers take no time from the honest client's loop: PORT SECONDS IDLE KEY [ONLY]. Prints what
 * the answers were, by attack and status.
 */
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
