import type { AppLoadContext } from '@remix-run/node'
import { TRPCError } from '@trpc/server'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ask, fileOf } from './answers.server.ts'

const context = { requestId: 'abc123' } as unknown as AppLoadContext
const request = (path: string) => new Request(`http://shop.example${path}`)

async function failing(error: unknown, path = '/users'): Promise<{ data: unknown; status: number | undefined }> {
  const thrown = await ask({ request: request(path), context }, () => Promise.reject(error)).catch((e: unknown) => e)
  const { data, init } = thrown as { data: unknown; init: { status?: number } | null }
  return { data, status: init?.status }
}

describe("a procedure's answer to a page", () => {
  it('passes through', async () => {
    expect(await ask({ request: request('/users'), context }, async () => 7)).toBe(7)
  })

  it('leads to the login and back when nobody is logged in', async () => {
    const thrown = await ask({ request: request('/users?sort=orders'), context }, () =>
      Promise.reject(new TRPCError({ code: 'UNAUTHORIZED' })),
    ).catch((e: unknown) => e as Response)
    expect((thrown as Response).status).toBe(302)
    expect((thrown as Response).headers.get('Location')).toBe('/login?next=%2Fusers%3Fsort%3Dorders')
  })

  it('has the status and the words of a refusal', async () => {
    expect(await failing(new TRPCError({ code: 'NOT_FOUND', message: 'No such user.' }))).toEqual({
      status: 404,
      data: { message: 'No such user.', reference: null, at: null },
    })
  })

  it('names the field that a schema refuses', async () => {
    const cause = z.object({ limit: z.number() }).safeParse({ limit: 'many' }).error
    const { data, status } = await failing(new TRPCError({ code: 'BAD_REQUEST', cause }))
    expect(status).toBe(400)
    expect((data as { message: string }).message).toBe('limit: must be a number')
  })

  it('tells of a failure of ours nothing but its reference', async () => {
    const error = new TRPCError({ code: 'INTERNAL_SERVER_ERROR', message: 'SQLITE_CORRUPT at /data/veritas.db' })
    const { data, status } = await failing(error)
    expect(status).toBe(500)
    expect(data).toMatchObject({ message: null, reference: 'abc123' })
    expect(JSON.stringify(data)).not.toContain('SQLITE')
  })

  it('is text where a file was asked for, and says when to come back', async () => {
    const file = (error: unknown) =>
      fileOf(() => ask({ request: request('/users.csv'), context }, () => Promise.reject(error)))
    const busy = await file(new TRPCError({ code: 'SERVICE_UNAVAILABLE', message: 'mongodb://db' }))
    expect([busy.status, busy.headers.get('retry-after')]).toEqual([503, '5'])
    expect(await busy.text()).toContain('Try again in a moment')
    const cause = Object.assign(new Error('told'), { isForClients: true, retryAfterSeconds: 10 })
    const full = await file(new TRPCError({ code: 'SERVICE_UNAVAILABLE', message: 'Too many lists.', cause }))
    expect([full.status, full.headers.get('retry-after'), await full.text()]).toEqual([503, '10', 'Too many lists.\n'])
    const failed = await file(new TRPCError({ code: 'INTERNAL_SERVER_ERROR', message: 'SQLITE_CORRUPT' }))
    expect(failed.status).toBe(500)
    expect(await failed.text()).toContain('abc123')
    const refused = await file(new TRPCError({ code: 'BAD_REQUEST', message: 'No such cursor.' }))
    expect([refused.status, await refused.text()]).toEqual([400, 'No such cursor.\n'])
    // A redirect to the login is passed on.
    await expect(file(new TRPCError({ code: 'UNAUTHORIZED' }))).rejects.toBeInstanceOf(Response)
  })

  it('leaves what is no answer of a procedure to the error boundary', async () => {
    const bug = new TypeError('x is not a function')
    await expect(ask({ request: request('/users'), context }, () => Promise.reject(bug))).rejects.toBe(bug)
  })
})
