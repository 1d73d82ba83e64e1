import { renderToStaticMarkup } from 'react-dom/server'
import { expect, it } from 'vitest'
import type { ProcessStatus } from '../../trpc/schema/system.ts'
import { Scope } from './scope.tsx'

const process: ProcessStatus = {
  host: 'shop-1',
  pid: 7,
  role: 'all',
  version: '1.0.0',
  startedAt: '2026-11-23T10:00:00.000Z',
  seenAt: '2026-11-23T10:00:00.000Z',
  acceptedPerSecond: 0,
  waiting: 0,
  accepting: true,
  memoryBytes: 0,
  busy: 0,
}

it('says whose figures the page has where other machines may share the database', () => {
  const rendered = (engine: 'sqlite' | 'mongo') =>
    renderToStaticMarkup(<Scope overview={{ store: { engine, up: true }, processes: [process] }} />)
  expect(rendered('mongo')).toContain('the figures of shop-1 alone')
  expect(rendered('sqlite')).toBe('')
})
