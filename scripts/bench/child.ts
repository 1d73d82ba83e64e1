import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Starts a probe or load generator in this folder as a child process. */
export function forkBeside(name: string, ...args: string[]): ChildProcess {
  return fork(fileURLToPath(new URL(name, import.meta.url)), args)
}

/** The next message of a child process; rejects if it exits first. */
export function answer<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const failed = (code: number | null) => {
      child.off('message', got)
      reject(new Error(`${child.spawnargs[1]} ended (${code})`))
    }
    const got = (message: unknown) => {
      child.off('exit', failed)
      resolve(message as T)
    }
    child.once('exit', failed)
    child.once('message', got)
  })
}

/** Sends an order to a child process and resolves to its answer. */
export function ask<T>(child: ChildProcess, order: object): Promise<T> {
  const answered = answer<T>(child)
  child.send(order)
  return answered
}
