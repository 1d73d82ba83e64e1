import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runServer, startServer, temporaryFolder } from './server.ts'

describe('what does not belong into the log', () => {
  it('is passed over with its slot where a lock should be', async () => {
    const dataDir = temporaryFolder()
    folderIn(dataDir, 'wal/0/lock-1/x')
    const server = await startServer({ dataDir, args: ['--no-demo'] })
    expect(await server.stop()).toBe(0)
  })

  it.each<[string, string, (dataDir: string) => void]>([
    ['a file called like a slot', 'wal/0', (dir) => writeIn(dir, 'wal/0')],
    [
      'a folder called like a segment',
      'wal/0/00000001-00000001.seg',
      (dir) => folderIn(dir, 'wal/0/00000001-00000001.seg'),
    ],
    ['a file instead of the log', 'wal', (dir) => writeIn(dir, 'wal')],
  ])('is named when it stops the start: %s', async (_name, path, make) => {
    const dataDir = temporaryFolder()
    make(dataDir)
    const { code, stderr } = await runServer({ dataDir, args: ['--no-demo'], killAt: /is running/ })
    expect(code).toBe(1)
    expect(stderr).toContain(`Veritas cannot start: The log cannot be opened because of ${join(dataDir, path)}`)
    expect(stderr).toContain('WAL_DIR')
    expect(stderr).not.toMatch(/^ +at /m)
  })

  it.each(['wal/notes.txt', 'wal/1000', 'wal/0123', 'wal/.DS_Store', 'wal/0/0000000001-0000000001.seg'])(
    '%s is passed over',
    async (path) => {
      const dataDir = temporaryFolder()
      writeIn(dataDir, path)
      const server = await startServer({ dataDir, args: ['--no-demo'] })
      expect(await server.stop()).toBe(0)
    },
  )
})

it('a folder named .env holds no settings and stops no start', async () => {
  const dataDir = temporaryFolder()
  folderIn(dataDir, '.env')
  const server = await startServer({ dataDir, args: ['--no-demo'] })
  expect(server.output()).toContain('.env is a folder')
  expect(await server.stop()).toBe(0)
})

function folderIn(dataDir: string, path: string): void {
  mkdirSync(join(dataDir, path), { recursive: true })
}

function writeIn(dataDir: string, path: string): void {
  folderIn(dataDir, join(path, '..'))
  writeFileSync(join(dataDir, path), 'x')
}
