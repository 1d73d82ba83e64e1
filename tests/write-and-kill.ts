import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

/** Runs a script that writes to a store, kills it after `writingMs`, and returns the batches it reported as stored. */
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
  // Ignore the last line, which may be incomplete.
  return output.split('\n').slice(0, -1).map(Number)
}
