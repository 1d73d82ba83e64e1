import { parseArgs } from 'node:util'
import { hostileCases } from '../tests/hostile/cases.ts'
import { floods } from '../tests/hostile/floods.ts'
import { runHostile } from '../tests/hostile/run.ts'
import { command } from './open.ts'
import { createOptionCheck } from './options.ts'

const MAX_RATIO = 3
const MAX_GROWTH_MB = 256
const MAX_MB = 512
/** Latency below this is acceptable, no matter how fast the client was without the attack. */
const UNNOTICED_MS = 20

const help = {
  about: `npm run hostile -- [options]

Attacks a built server (npm run build) with ${hostileCases.length} requests that no good client would send, with random ones, and
with ${Object.keys(floods).length} floods at once, with keys required and without, while an honest client posts and reads. Every answer must be
JSON with a documented status, every event of a 202 stored once, memory within ${MAX_GROWTH_MB} MB above idle and ${MAX_MB} MB in all, and
the honest client's p95 within ${MAX_RATIO} x of alone or below ${UNNOTICED_MS} ms. npm test runs the same in short, without the last.

Options
  --seconds N   how long the floods last (default 60)
  --keyless M   allow or refuse only
  --help        this text`,
  examples: ['npm run hostile', 'npm run hostile -- --seconds 10 --keyless refuse'],
  exits: { 0: 'all of it held', 1: 'something did not, or it failed: a line says what' },
} as const

const keylessModes = ['allow', 'refuse'] as const
const MAX_SECONDS = 86_400

await command(help, async () => {
  const { values } = parseArgs({ options: { seconds: { type: 'string' }, keyless: { type: 'string' } } })
  const check = createOptionCheck()
  const seconds = check.whole('--seconds', values.seconds, { min: 1, max: MAX_SECONDS, otherwise: 60 })
  const modes = keylessModes.filter((mode) => values.keyless === undefined || values.keyless === mode)
  if (modes.length === 0) check.refuse(`--keyless ${values.keyless}: allow or refuse.`)
  check.assertRight()
  for (const keyless of modes) await run(keyless, seconds)
})

async function run(keyless: 'allow' | 'refuse', seconds: number): Promise<void> {
  console.log(`INGEST_KEYLESS=${keyless}`)
  const report = await runHostile({
    keyless,
    aloneSeconds: Math.min(30, seconds),
    floodSeconds: seconds,
    randomMs: seconds * 1000,
    onStep: (text) => console.log(`  ${text}`),
  })
  const { wrong, floods: answers, ...figures } = report
  for (const [name, value] of Object.entries(figures)) console.log(`  ${name} ${Math.round(value * 10) / 10}`)
  for (const [name, statuses] of Object.entries(answers)) console.log(`  ${name}: ${JSON.stringify(statuses)}`)
  for (const what of wrong) fail(what)
  const { p95BesideMs, p95Ratio, idleMb, peakMb } = report
  if (p95Ratio > MAX_RATIO && p95BesideMs > UNNOTICED_MS) fail(`p95 is ${p95Ratio.toFixed(1)} x of alone`)
  if (peakMb > Math.min(MAX_MB, idleMb + MAX_GROWTH_MB)) fail(`memory is ${peakMb} MB, ${peakMb - idleMb} above idle`)
}

function fail(what: string): void {
  console.error(`  wrong: ${what}`)
  process.exitCode = 1
}
