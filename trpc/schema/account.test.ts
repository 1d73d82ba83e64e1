import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { invitationInput, signInInput } from './account.ts'

describe('an email', () => {
  it('is trimmed and made small before it is judged', () => {
    expect(signInInput.parse({ email: ' Lena@Example.com\n', password: 'p' }).email).toBe('lena@example.com')
    expect(invitationInput.parse({ email: `${' '.repeat(300)}a@b.example` }).email).toBe('a@b.example')
  })

  it.each(['', ' ', 'lena', 'lena@', 'a b@example.com', `${'a'.repeat(250)}@b.example`])('is not %j', (email) => {
    const { error } = invitationInput.safeParse({ email })
    expect(error?.issues[0]?.path).toEqual(['email'])
  })

  it('is still told as one to whoever reads the API docs', () => {
    expect(z.toJSONSchema(invitationInput, { io: 'input' })).toMatchObject({
      properties: { email: { format: 'email' } },
    })
  })
})
