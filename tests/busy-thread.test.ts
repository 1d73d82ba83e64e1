import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const program = fileURLToPath(new URL('./busy-thread.ts', import.meta.url))

/** How a process ends whose thread stands inside SQLite. */
function ended(how: 'stop' | 'exit', folder: string): Promise<{ code: unknown; signal: unknown; output: string }> {
  return new Promise((resolve) =>
    execFile(process.execPath, ['--import', 'tsx', program, how, folder], (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, signal: error?.signal ?? null, output: stdout + stderr }),
    ),
  )
}

it.each([
  ['stop', { code: 0, signal: null, output: 'well\n' }],
  ['exit', { code: 3, signal: null, output: '' }],
] as const)('a thread that stands inside SQLite does not take the process with it: %s', async (how, expected) => {
  const folder = await mkdtemp(join(tmpdir(), 'veritas-busy-'))
  try {
    expect(await ended(how, folder)).toEqual(expected)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
