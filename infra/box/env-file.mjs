/**
 * env-file.mjs BOX_ENV SERVER_ENV ORIGIN_MAP STORE DATA_DIR [OWNER_UID]
 *
 * Reads the output of `aws ssm get-parameters-by-path` from standard input, so that no secret appears in a command
 * line, a shell variable or a file readable by others. Writes two files with mode 0600:
 *   SERVER_ENV   the server's settings: defaults, then BOX_ENV, then the parameters; the last one wins
 *   ORIGIN_MAP   the secrets that identify CloudFront to nginx, as lines of an nginx map
 * Prints names, never values. If a file would be invalid, changes neither and exits with 1 and a line of explanation.
 */
import { chownSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { parseEnv } from 'node:util'

const [boxFile, serverFile, originFile, store, dataDir, ownerUid] = process.argv.slice(2)

/** Settings that concern only the instance and are not passed to the server. */
const boxOnly = new Set(
  'REGION BUCKET PARAMETER_PREFIX DATA_VOLUME_ID DATA_VOLUME_GIB STORE ROLES PORT WEB_PORT TRIAL_PORT LISTEN_PORT ORIGIN_NAME INSTANCES MAX_MEMORY SWAP_MIB TRIAL_SECONDS HEALTH_SECONDS'.split(
    ' ',
  ),
)
/** Settings that nginx or PM2 need as well. */
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
    // Metrics go to the local CloudWatch agent. Only the essential ones, since CloudWatch bills per series.
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
  // A parser's error message could quote a secret.
  console.error(
    error instanceof Wrong ? error.message : `The settings cannot be written (${error.code ?? error.name}).`,
  )
  process.exitCode = 1
}

/** Settings by name; the name is the last part of the parameter's path: /veritas/prod/SESSION_SECRET. */
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

/** The text of the env file. Parsed back with Node's own parser to make sure that every value arrives unchanged. */
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

/** Lines of an nginx map. Regular expressions, since nginx compares plain strings in a map case-insensitively. */
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

/** Replaces a file atomically. */
function write(file, text, uid) {
  const next = `${file}.next`
  writeFileSync(next, text, { mode: 0o600 })
  if (uid) chownSync(next, Number(uid), Number(uid))
  renameSync(next, file)
}
