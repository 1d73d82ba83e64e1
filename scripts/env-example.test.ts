import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'
import { expect, it } from 'vitest'
import { readConfig } from '../server/config.ts'

const read = (path: string) => readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8')
const example = read('../.env.example')
const values = parseEnv(example) as Record<string, string>

it('.env.example has every setting and no other', () => {
  const schema = read('../server/config.ts').match(/const settings = z\.object\(\{\n([\s\S]*?)\n\}\)/)![1]!
  const settings = [...schema.matchAll(/^ {2}([A-Z][A-Z0-9_]*):/gm)].map((match) => match[1])
  expect(settings.length).toBeGreaterThan(20)
  expect(Object.keys(values).sort()).toEqual(settings.sort())
})

it('.env.example shows the defaults', () => {
  expect(readConfig(values)).toEqual(readConfig({}))
})

it('.env.example says what each setting is', () => {
  const lines = example.split('\n')
  for (const name of Object.keys(values)) {
    const line = lines.findIndex((text) => text.startsWith(`${name}=`))
    expect(lines[line - 1], name).toMatch(/^# \S.{15,}/)
  }
})
