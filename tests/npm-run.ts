import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** A command's trimmed output and its exit code. */
export interface CommandEnded {
  code: number
  stdout: string
  stderr: string
}

/** Runs a command like `npm run NAME`, with these settings but none of this shell's. Never rejects. */
export function npmRun(name: string, args: readonly string[], env: Record<string, string> = {}): Promise<CommandEnded> {
  const { PATH, HOME } = process.env
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['scripts/run.mjs', name, ...args],
      { cwd: root, env: { PATH, HOME, NODE_ENV: 'production', ...env } },
      (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code ?? -1) : 0, stdout: stdout.trim(), stderr: stderr.trim() }),
    )
  })
}
