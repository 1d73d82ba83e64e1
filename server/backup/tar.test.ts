import { expect, it } from 'vitest'
import { readTar, writeTar } from './tar.ts'

async function* entriesOf(names: string[]) {
  for (const name of names) yield { name, bytes: 3, content: [Buffer.from('abc')] }
}

async function namesIn(content: AsyncIterable<Uint8Array>): Promise<string[]> {
  const names: string[] = []
  await readTar(content, async (entry) => {
    for await (const part of entry.content) expect(Buffer.from(part).toString()).toBe('abc')
    names.push(entry.name)
  })
  return names
}

it('gives back files of whatever name, as copies of dead letters may have', async () => {
  const names = [
    'dead-letters/a (Kopie 2).json',
    'dead-letters/é ü 你好 😀.json',
    'dead-letters/..json',
    'dead-letters/a\\b\n.json',
    `dead-letters/${'x'.repeat(82)}.json`,
  ]
  expect(await namesIn(writeTar(entriesOf(names)))).toEqual(names)
})

it.each(['/etc/passwd', '../up', 'wal/../../up', 'wal/..', './here', 'wal//0', 'wal/', ''])(
  'refuses a file named %j, which is no place within',
  async (name) => {
    await expect(namesIn(writeTar(entriesOf([name])))).rejects.toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining('a file named'),
    })
  },
)
