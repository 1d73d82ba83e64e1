import { z } from 'zod'
import { isCurrency } from './currencies.ts'

/** Somebody (or a tool) who logs in here; visitors of the shop are users. */
export const account = z.object({
  id: z.string(),
  email: z.string(),
  name: z.string(),
  role: z.enum(['owner', 'analyst']),
})
export type Account = z.infer<typeof account>

const anEmail = 'Enter an email address such as lena@example.com'
const email = z.string(anEmail).trim().toLowerCase().max(254).check(z.email(anEmail))

export const signInInput = z.object({
  email,
  password: z.string('Enter your password').min(1, 'Enter your password').max(256),
  /** Keep the login for 30 days instead of 12 hours. */
  remember: z.boolean().default(false),
})
export type SignInInput = z.input<typeof signInInput>

export const signUpInput = z.object({
  name: z.string('Enter your name').trim().min(2, 'Enter at least 2 characters').max(100),
  email,
  password: z.string('Choose a password').min(8, 'Use at least 8 characters').max(256),
  /** From the link of an invitation; the first account needs none. */
  invitation: z.string().max(128).optional(),
  /** For the first account of a server that others can reach; printed when it starts. */
  setupCode: z.string().max(128).optional(),
})
export type SignUpInput = z.input<typeof signUpInput>

/** The owner's first page also names the shop; the zone cannot change once events are counted. */
export const siteSetupInput = z.object({
  siteName: z.string('Enter the name of your shop').trim().min(1, 'Enter the name of your shop').max(100),
  timeZone: z.string().max(64),
  currency: z.string().refine(isCurrency, 'an ISO 4217 code such as EUR'),
})
export type SiteSetupInput = z.input<typeof siteSetupInput>

/** The id of a new site: it stands in addresses, names of files and commands. */
export const siteIdInput = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/)

/** pk is for browsers, where anybody can read it; sk for a server that keeps it secret. */
export const newKeyInput = z.object({ kind: z.enum(['pk', 'sk']), name: z.string().trim().max(100).default('') })
export type NewKeyInput = z.infer<typeof newKeyInput>

export const invitationInput = z.object({ email })
