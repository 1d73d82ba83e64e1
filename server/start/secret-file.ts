import { randomUUID } from 'node:crypto'
import { link, open, readFile, rename, rm } from 'node:fs/promises'

/** The text of a file that only this user may read (0600), made at the first call, of whichever process. */
export async function secretFile(path: string, make: () => string): Promise<string> {
  const known = await readFile(path, 'utf8').catch(() => '')
  if (known !== '') return known
  const draft = `${path}.${randomUUID()}`
  try {
    const file = await open(draft, 'wx', 0o600)
    await file.writeFile(make())
    await file.datasync()
    await file.close()
    // Processes that start at once must end up with the same one: a link is there with its content, and made once only.
    await link(draft, path).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
      // Cut off by a crash of a version that wrote it in place.
      if ((await readFile(path, 'utf8')) === '') await rename(draft, path)
    })
  } finally {
    await rm(draft, { force: true })
  }
  return readFile(path, 'utf8')
}
