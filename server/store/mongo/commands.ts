import type { CommandFailedEvent, CommandStartedEvent, CommandSucceededEvent, MongoClient } from 'mongodb'

/** A command that MongoDB answered, or that failed. */
export interface Command {
  /** "find", "insert", "getMore" … */
  name: string
  /** '' for commands that concern none. */
  collection: string
  tookMs: number
  /** The kind of failure; '' for none. */
  error: string
}

export type OnCommand = (command: Command) => void

/** Tells of every command of a client that watches them (monitorCommands). */
export function watchCommands(client: MongoClient, onCommand: OnCommand): void {
  /** The answer does not say which collection was asked. */
  const collections = new Map<number, string>()
  const answered = (event: CommandSucceededEvent | CommandFailedEvent, error: string) => {
    const collection = collections.get(event.requestId) ?? ''
    collections.delete(event.requestId)
    onCommand({ name: event.commandName, collection, tookMs: event.duration, error })
  }
  client.on('commandStarted', ({ requestId, commandName, command }: CommandStartedEvent) => {
    const named: unknown = commandName === 'getMore' ? command.collection : command[commandName]
    if (typeof named === 'string') collections.set(requestId, named)
  })
  client.on('commandSucceeded', (event) => answered(event, ''))
  client.on('commandFailed', (event) => answered(event, errorKind(event.failure)))
}

/** The code of the server where it gave one: messages may hold what was asked for. */
function errorKind(failure: Error & { codeName?: unknown }): string {
  return typeof failure.codeName === 'string' ? failure.codeName : failure.name
}
