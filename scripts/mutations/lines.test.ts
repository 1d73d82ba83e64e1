import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { doorMutations } from './door.ts'
import { logMutations } from './log.ts'
import { storeMutations } from './stores.ts'

const root = new URL('../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')

describe('a line that npm run mutations breaks', () => {
  it.each([...logMutations, ...storeMutations, ...doorMutations])(
    'is in its file once, and a test has the name that guards it: $name',
    ({ file, line, broken, test, only }) => {
      expect(read(file).split(line).length - 1).toBe(1)
      expect(broken).not.toBe(line)
      if (only !== undefined) expect(read(test)).toContain(only)
    },
  )
})
