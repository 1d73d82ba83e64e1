import { setTimeout as sleep } from 'node:timers/promises'

export const owner = { name: 'Lena Krüger', email: 'lena@nordlicht.example', password: 'a-long-password' }

/** Creates the first account of an empty server. Resolves to its Cookie header. */
export async function signUpOwner(url: string): Promise<string> {
  const response = await fetch(`${url}/api/auth/sign-up/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(owner),
  })
  if (response.status !== 200) throw new Error(`sign-up answered ${response.status}: ${await response.text()}`)
  return cookieOf(response)
}

/** The Cookie header that corresponds to an answer's Set-Cookie headers. */
export function cookieOf(response: Response): string {
  return response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ')
}

/** Retries an assertion until it passes; after timeoutMs throws its last error. */
export async function eventually(assertion: () => Promise<void>, timeoutMs = 90_000): Promise<void> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    try {
      return await assertion()
    } catch (error) {
      if (Date.now() > deadline) throw error
      await sleep(25)
    }
  }
}
