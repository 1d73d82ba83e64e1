import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

/** Lets a script write to a store for a while, kills it, and returns the batches that it knew to be in. */
export async function writeAndKill(script: string, place: string, first: number, writingMs: number): Promise<number[]> {
  const child = spawn(process.execPath, ['--import', 'tsx', script, place, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  await once(child.stdout, 'data')
  await sleep(writingMs)
  child.kill('SIGKILL')
  await exited
  // The last line may be cut.
  return output.split('\n').slice(0, -1).map(Number)
}
