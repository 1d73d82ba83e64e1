/**
 * env-file.mjs BOX_ENV SERVER_ENV ORIGIN_MAP STORE DATA_DIR [OWNER_UID]
 *
 * Reads the answer of `aws ssm get-parameters-by-path` on standard input, so that no secret is in a command line, a
 * shell variable or a file that others may read, and writes two files (0600):
 *   SERVER_ENV   the server's settings: what every box has, then BOX_ENV, then the parameters, the last one wins
 *   ORIGIN_MAP   the secrets by which nginx knows CloudFront, as lines of an nginx map
 * Prints names, never values. Ends with 1 and one line when a file would be wrong; then neither is changed.
 */
import { chownSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { parseEnv } from 'node:util'

const [boxFile, serverFile, originFile, store, dataDir, ownerUid] = process.argv.slice(2)

/** Settings of the box itself, which are no business of the server. */
const boxOnly = new Set(
  'REGION BUCKET PARAMETER_PREFIX DATA_VOLUME_ID DATA_VOLUME_GIB STORE ROLES PORT WEB_PORT TRIAL_PORT LISTEN_PORT ORIGIN_NAME INSTANCES MAX_MEMORY SWAP_MIB TRIAL_SECONDS HEALTH_SECONDS'.split(
    ' ',
  ),
)
/** What nginx and PM2 must know as well. */
const boxToo = new Set(['STAGE', 'SHUTDOWN_TIMEOUT_MS', 'INGEST_MAX_BODY_BYTES'])
const originNames = ['ORIGIN_SECRET', 'ORIGIN_SECRET_PREVIOUS']

class Wrong extends Error {}

try {
  const box = parseEnv(readFileSync(boxFile, 'utf8'))
  const parameters = parametersOf(readFileSync(0, 'utf8'))
  const fromBox = Object.entries(box).filter(([name]) => !boxOnly.has(name))
  const server = {
    HOST: '127.0.0.1',
    TRUST_PROXY: 'true',
    DEMO: 'false',
    DATA_DIR: dataDir,
    AWS_REGION: box.REGION,
    // To the CloudWatch agent of this box, which bills every series.
    METRICS_EXPORTER: 'otlp',
    METRICS_SET: 'essential',
    ...Object.fromEntries(fromBox),
    ...parameters,
  }
  for (const name of originNames) delete server[name]
  const text = serverText(withStore(server))
  const map = originMap(parameters)
  write(originFile, map)
  write(serverFile, text, ownerUid)
  console.log(`${Object.keys(parameters).length} parameters: ${Object.keys(parameters).sort().join(', ')}`)
  if (server.PUBLIC_URL === undefined)
    console.log('PUBLIC_URL is not set: logins from pages are refused until the server knows its address.')
} catch (error) {
  // A parser's message could quote what it read.
  console.error(
    error instanceof Wrong ? error.message : `The settings cannot be written (${error.code ?? error.name}).`,
  )
  process.exitCode = 1
}

/** A parameter's last name is the setting's: /veritas/prod/SESSION_SECRET. */
function parametersOf(text) {
  let answer
  try {
    answer = JSON.parse(text)
  } catch {
    throw new Wrong('The answer of Parameter Store is not JSON.')
  }
  if (!Array.isArray(answer?.Parameters)) throw new Wrong('The answer of Parameter Store has no list "Parameters".')
  const settings = {}
  for (const { Name, Value } of answer.Parameters) {
    const name = basename(String(Name))
    if (!/^[A-Z][A-Z0-9_]*$/.test(name))
      throw new Wrong(`The parameter ${Name} is not called like a setting: capital letters, digits and underscores.`)
    if (typeof Value !== 'string' || Value === '') throw new Wrong(`The parameter ${Name} has no value.`)
    if (boxOnly.has(name) || boxToo.has(name))
      throw new Wrong(`${name} belongs into ${boxFile}, where nginx and PM2 find it too. Delete the parameter ${Name}.`)
    settings[name] = Value
  }
  return settings
}

function withStore(settings) {
  if (store === 'uri' && settings.STORE_URL === undefined)
    throw new Wrong('STORE is uri, but there is no parameter STORE_URL. Set it to the address of the database.')
  if (store === 'embedded' && settings.STORE_URL !== undefined)
    throw new Wrong('STORE is embedded, but there is a parameter STORE_URL. Delete it, or set STORE to uri.')
  if (store !== 'self-hosted') return settings
  return { STORE_URL: 'mongodb://127.0.0.1:27017/veritas?replicaSet=veritas', ...settings }
}

/** Held against Node's own reading of it, so that no value can arrive other than it was set. */
function serverText(settings) {
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${quoted(name, value)}`)
  const text = `# Written by secrets.sh. Changes here are lost.\n${lines.join('\n')}\n`
  const read = parseEnv(text)
  for (const [name, value] of Object.entries(settings))
    if (read[name] !== value) throw new Wrong(`The value of ${name} cannot be written into a settings file.`)
  return text
}

function quoted(name, value) {
  const quote = ["'", '`', '"'].find((mark) => !value.includes(mark))
  if (quote === undefined || value.includes('\n'))
    throw new Wrong(`The value of ${name} holds a line break or all of ' \` ", which a settings file cannot.`)
  return `${quote}${value}${quote}`
}

/** Regular expressions, since nginx compares plain texts of a map without regard to case. */
function originMap(parameters) {
  if (parameters.ORIGIN_SECRET === undefined)
    throw new Wrong('There is no parameter ORIGIN_SECRET: nginx would let nobody in.')
  return originNames
    .filter((name) => parameters[name] !== undefined)
    .map((name) => {
      if (!/^[A-Za-z0-9_-]{24,128}$/.test(parameters[name]))
        throw new Wrong(`${name} must be 24 to 128 letters, digits, _ or -.`)
      return `"~^${parameters[name]}$" 1;\n`
    })
    .join('')
}

/** Whole or not at all. */
function write(file, text, uid) {
  const next = `${file}.next`
  writeFileSync(next, text, { mode: 0o600 })
  if (uid) chownSync(next, Number(uid), Number(uid))
  renameSync(next, file)
}
