import type { AppLoadContext } from '@remix-run/node'
import { data, redirectDocument } from '@remix-run/node'
import type { z } from 'zod'
import { expectation } from '../../trpc/schema/issues.ts'
import type { PageError } from '../errors/page-error.ts'

/** A form that was not taken: what is wrong with which field, and what was typed. Passwords never come back. */
export interface Refused {
  errors: Record<string, string>
  values: Record<string, string>
}

/** One message a field: the first that fails, as the schema words it. */
export function fieldErrors(schema: z.ZodType, values: unknown): Record<string, string> {
  const parsed = schema.safeParse(values)
  const errors: Record<string, string> = {}
  for (const issue of parsed.error?.issues ?? []) errors[String(issue.path[0] ?? 'form')] ??= expectation(issue)
  return errors
}

/** The posted form; anything that is none is the sender's mistake. The request can be read once more. */
export async function formOf(request: Request): Promise<FormData> {
  try {
    return await request.clone().formData()
  } catch {
    const error: PageError = { message: 'This address takes a form.', reference: null, at: null }
    throw Response.json(error, { status: 400 })
  }
}

/** The texts of a form by field name. */
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

/** Runs a strategy on the posted form: leads on with the login's cookie, or says by the field why not. */
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
    // Whole: everything that was loaded before was nobody's.
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
