import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Starts one of the probes and generators beside this file. */
export function forkBeside(name: string, ...args: string[]): ChildProcess {
  return fork(fileURLToPath(new URL(name, import.meta.url)), args)
}

/** The next message of a child; rejects when it ends first. */
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

/** Sends a child an order and resolves to what it answers. */
export function ask<T>(child: ChildProcess, order: object): Promise<T> {
  const answered = answer<T>(child)
  child.send(order)
  return answered
}
