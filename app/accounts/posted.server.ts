import type { AppLoadContext } from '@remix-run/node'
import { data, redirectDocument } from '@remix-run/node'
import type { z } from 'zod'
import { expectation } from '../../trpc/schema/issues.ts'
import type { PageError } from '../errors/page-error.ts'

/** The answer to a rejected form: an error per field, and the values entered. Passwords are never sent back. */
export interface Refused {
  errors: Record<string, string>
  values: Record<string, string>
}

/** The first validation error of each field, in the schema's words. */
export function fieldErrors(schema: z.ZodType, values: unknown): Record<string, string> {
  const parsed = schema.safeParse(values)
  const errors: Record<string, string> = {}
  for (const issue of parsed.error?.issues ?? []) errors[String(issue.path[0] ?? 'form')] ??= expectation(issue)
  return errors
}

/** The posted form. Throws a 400 response if the body is not a form. The request body can be read again afterwards. */
export async function formOf(request: Request): Promise<FormData> {
  try {
    return await request.clone().formData()
  } catch {
    const error: PageError = { message: 'This address takes a form.', reference: null, at: null }
    throw Response.json(error, { status: 400 })
  }
}

/** The text fields of a form by name, each cut to 4,096 characters; files are left out. */
export function textsOf(form: FormData): Record<string, string> {
  const texts: Record<string, string> = {}
  for (const [name, value] of form) if (typeof value === 'string') texts[name] = value.slice(0, 4096)
  return texts
}

export function refuse(errors: Record<string, string>, texts: Record<string, string>, status: number, wait?: number) {
  const { password: _password, ...values } = texts
  return data({ errors, values } satisfies Refused, {
    status,
    ...(wait !== undefined && { headers: { 'Retry-After': String(wait) } }),
  })
}

const statuses: Record<string, number> = {
  invalid_input: 400,
  unauthenticated: 401,
  forbidden: 403,
  conflict: 409,
  unprocessable: 422,
  rate_limited: 429,
}

/** Logs in or signs up with the posted form: redirects with the session cookie, or returns an error per field. */
export async function logIn(
  strategy: 'login' | 'sign-up',
  {
    request,
    context,
    texts,
    to,
  }: { request: Request; context: AppLoadContext; texts: Record<string, string>; to: string },
) {
  try {
    const { cookie } = await context.authenticator.authenticate(strategy, request)
    // Reload the whole document: data loaded so far was loaded without an account.
    return redirectDocument(to, { headers: { 'Set-Cookie': cookie } })
  } catch (error) {
    const refusal = refusalOf(error)
    if (!refusal) throw error
    const wait = refusal.retryAfterSeconds
    return refuse({ [refusal.field ?? 'form']: refusal.message }, texts, refusal.status, wait)
  }
}

interface Refusal {
  status: number
  message: string
  field: string | undefined
  retryAfterSeconds: number | undefined
}

function refusalOf(error: unknown): Refusal | null {
  if (typeof error !== 'object' || error === null) return null
  const { code, message, field, retryAfterSeconds } = error as Record<string, unknown>
  const status = typeof code === 'string' ? statuses[code] : undefined
  if (status === undefined || typeof message !== 'string') return null
  return {
    status,
    message,
    field: typeof field === 'string' ? field : undefined,
    retryAfterSeconds: typeof retryAfterSeconds === 'number' ? retryAfterSeconds : undefined,
  }
}
