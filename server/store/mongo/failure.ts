import { MongoServerError, MongoServerSelectionError, type TopologyDescription } from 'mongodb'
import { AppError } from '../../errors.ts'

export const UNAUTHORIZED = 13
const AUTHENTICATION_FAILED = 18

/** A database that cannot be used now, and why, in one line: nobody finds a wrong setting behind a timeout. */
export function unavailable(place: string, cause?: unknown): AppError {
  if (cause instanceof MongoServerError)
    return new AppError('unavailable', `The database at ${place} refuses: ${refusal(cause)}`, { cause })
  const reason = cause instanceof Error ? `: ${silence(cause)}` : '.'
  return new AppError('unavailable', `The database at ${place} does not answer${reason}`, { cause })
}

/** An address that the driver cannot read. Its message has no part of the address but names of options. */
export function wrongAddress(url: string, cause: unknown): AppError {
  const reason = cause instanceof Error ? cause.message.replaceAll(url, '…') : 'unknown'
  return new AppError('invalid_input', `STORE_URL is not an address of MongoDB: ${reason}`, {
    cause,
    field: 'STORE_URL',
  })
}

function refusal(error: MongoServerError): string {
  const text = firstLine(error)
  if (error.code === AUTHENTICATION_FAILED) return `${text} User, password or authSource of the address are wrong.`
  if (error.code === UNAUTHORIZED) return `${text} Its account needs the role readWrite on the database.`
  return text
}

function silence(error: Error): string {
  if (!(error instanceof MongoServerSelectionError) || !error.reason) return firstLine(error)
  const { type, setName, servers } = error.reason as TopologyDescription
  // Servers of another set are taken from the list.
  if (type === 'ReplicaSetNoPrimary' && servers.size === 0)
    return `no member of a replica set ${setName} is there. Is replicaSet of the address right?`
  const errors = [...servers.values()].flatMap((server) => (server.error ? [firstLine(server.error)] : []))
  if (errors.length > 0) return [...new Set(errors)].join('; ')
  if (type === 'ReplicaSetNoPrimary') return `the replica set ${setName} has no primary.`
  return `${firstLine(error)}. If there is a server, do tls and the port of the address fit it?`
}

function firstLine({ message }: Error): string {
  return message.split('\n')[0] ?? ''
}
