import type { ServerBuild } from '@remix-run/node'
import { expect, it } from 'vitest'
import { pagePatterns, traceLoaders } from './page-routes.ts'

const loader = async () => ({ a: 1 })
const routes = {
  root: { id: 'root', path: '', module: { default: null } },
  frame: { id: 'frame', parentId: 'root', module: { default: null, loader } },
  index: { id: 'index', parentId: 'root', index: true, module: { default: null } },
  users: { id: 'users', parentId: 'frame', path: 'users', module: { default: null, loader } },
  journey: { id: 'journey', parentId: 'users', path: ':userId/journey', module: { default: null } },
} as unknown as ServerBuild['routes']

it('the patterns of pages go through their parents', () => {
  expect([...new Set(pagePatterns(routes))].sort()).toEqual(['/', '/users', '/users/:userId/journey'])
})

it('a traced build has the same loaders, and none where there was none', async () => {
  const traced = traceLoaders({ routes } as ServerBuild).routes
  expect(await traced.users?.module.loader?.({} as never)).toEqual({ a: 1 })
  expect(traced.journey?.module).not.toHaveProperty('loader')
})
