import { hash, verify } from '@node-rs/argon2'
import { AppError } from '../errors.ts'

/** OWASP's argon2id floor (19 MiB, two passes): about 20 ms on one core. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
/** One after another: the threads that compute them are those that write the log's files, of which Node has four. */
const MAX_WAITING = 32

let waiting = 0
let last: Promise<unknown> = Promise.resolve()

/** What an unknown email is checked against, so that it takes as long as a known one. */
let nobody: string | null = null

/** Throws AppError unavailable when too many wait. */
export function hashPassword(password: string): Promise<string> {
  return inTurn(() => hash(password, cost))
}

/** False for a wrong password and, after the same time, for no account at all (null). Throws as hashPassword. */
export function passwordMatches(passwordHash: string | null, password: string): Promise<boolean> {
  return inTurn(async () => {
    if (passwordHash !== null) return verify(passwordHash, password)
    nobody ??= await hash('nobody has this password', cost)
    await verify(nobody, password)
    return false
  })
}

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (waiting >= MAX_WAITING)
    throw new AppError('unavailable', 'Too many people log in at this moment. Try again in a few seconds.', {
      retryAfterSeconds: 1 + Math.floor(Math.random() * 5),
    })
  waiting++
  const turn = last.then(work)
  last = turn.catch(() => {})
  try {
    return await turn
  } finally {
    waiting--
  }
}
