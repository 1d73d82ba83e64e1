import { demoLogin, hasDemoAccount } from './accounts/demo.ts'
import { signUpAddress } from './accounts/setup-code.ts'
import { createVeritas, type Veritas } from './compose.ts'
import { type Config, readConfig, settingNames } from './config.ts'
import { prepareDemo } from './demo/prepare.ts'
import { AppError } from './errors.ts'
import { loadEnvFile } from './start/env-file.ts'
import { keepHeapSmall } from './start/heap.ts'

/** The process: settings -> composition -> demo shop -> listening; on a signal the reverse. */
async function start(): Promise<void> {
  // Whoever read what it prints has gone: nobody is to be told of it, and events are taken all the same.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  keepHeapSmall()
  loadEnvFile(process.env, settingNames)
  const config = readConfig(process.env, process.argv.slice(2))
  const vite = process.env.NODE_ENV === 'development' ? await pagesFromSource() : undefined
  const veritas = await createVeritas(config, { vite })
  let closing = false
  const stop = (signal: NodeJS.Signals) => {
    if (closing) return
    closing = true
    veritas.telemetry.log.info({ signal }, 'closing')
    void close(veritas, config.shutdownTimeoutMs)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  try {
    await veritas.prepare(() => openDemo(veritas, config))
    if (closing) return
    const { url } = await veritas.listen()
    if (closing) return
    await greet(veritas, config, url)
    veritas.startNightly()
    process.send?.('ready')
  } catch (error) {
    if (closing) return
    await veritas.close()
    throw error
  }
}

/** While developing (npm run dev), Vite makes the pages of their sources in this process and updates them in the browser. */
async function pagesFromSource() {
  const { createServer } = await import('vite')
  return createServer({ server: { middlewareMode: true } })
}

const tooLate = 'Veritas: the deadline came before everything waiting was stored.'

/** To close what is open once the deadline for storing has passed. */
const CLOSE_MS = 1500

async function close(veritas: Veritas, deadlineMs: number): Promise<void> {
  // A store that hangs must not hold the process: what it does not have is in the log, for the next start. By force,
  // since exit() would wait for a thread that waits inside the store.
  setTimeout(() => {
    console.error(tooLate)
    process.kill(process.pid, 'SIGKILL')
  }, deadlineMs + CLOSE_MS).unref()
  try {
    const stored = await veritas.close()
    process.exitCode = stored ? 0 : 1
    if (!stored) console.error(tooLate)
  } catch (error) {
    veritas.telemetry.log.error({ err: error }, 'closing failed')
    process.exitCode = 1
  }
  // Something may still hold the loop (a page's stream): everything accepted is stored by now.
  setTimeout(() => process.exit(), 1000).unref()
}

/** A demo store has a login that everybody knows: it lives on no stage but local. */
async function openDemo({ store }: Veritas, config: Config): Promise<void> {
  if (config.stage !== 'local' && (await hasDemoAccount(store.accounts)))
    throw new AppError(
      'invalid_input',
      `STAGE=${config.stage} refuses the demo store in ${config.dataDir}. Choose an empty DATA_DIR.`,
    )
  if (config.demo && config.role !== 'ingest') await prepareDemo(store, { now: Date.now(), dataDir: config.dataDir })
}

async function greet({ store, accounts, setupCode, telemetry }: Veritas, config: Config, url: string): Promise<void> {
  const lines = [`Veritas is running at ${url}`]
  const away = await store.ping().then(
    () => false,
    () => true,
  )
  if (away) lines.push('Its store is away: it takes events and stores them when it is back.')
  else if (config.role === 'ingest') lines.push('It takes events (ROLE=ingest).')
  else if (await hasDemoAccount(store.accounts)) lines.push(`Log in as ${demoLogin.email} / ${demoLogin.password}`)
  else if (await accounts.needsOwner()) {
    const code = await setupCode?.read()
    lines.push(`Create the owner's account at ${signUpAddress(config.publicUrl ?? url, code)}`)
    if (code) {
      lines.push(`The first account needs this set-up code: ${code} (npm run setup-code prints it again)`)
      telemetry.log.warn('nobody owns this server yet: the first account needs its set-up code (npm run setup-code)')
    }
  }
  if (config.role === 'web') lines.push('It answers questions (ROLE=web).')
  else
    lines.push(
      ...(config.ingest.keyless === 'refuse'
        ? ['Events need a write key; make one: npm run keys -- create --kind sk', 'Post an event with it:']
        : ['Post an event:']),
      `  curl -X POST ${url}/events${config.ingest.keyless === 'refuse' ? " -H 'X-Write-Key: KEY'" : ''} -H 'Content-Type: application/json' -d '{"type":"page_view","userId":"curl-1","sessionId":"curl-1-a","payload":{"url":"/hello"}}'`,
    )
  if (config.stage === 'local') lines.push('Stop with Ctrl+C.')
  console.log(lines.join('\n'))
}

start().catch((error: unknown) => {
  const known = error instanceof AppError
  console.error(`Veritas cannot start: ${known ? error.message : error instanceof Error ? error.stack : String(error)}`)
  process.exit(1)
})
