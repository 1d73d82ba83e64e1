import type { Account, SignInInput, SignUpInput, SiteSetupInput } from '../../trpc/schema/account.ts'

/** What a login gives: the account and the Set-Cookie header that keeps it logged in. */
export interface SignedIn {
  account: Account
  cookie: string
}

/** What the first account of a server has to know that others can reach. */
export interface SetupCode {
  /** Makes one where there is none. */
  read(): Promise<string>
  /** The one that there is. */
  known(): Promise<string | null>
  matches(given: string): Promise<boolean>
  /** There is an owner: it is of no more use. */
  forget(): Promise<void>
}

/** Logging in and out. Every refusal is an AppError with the field at fault. */
export interface Accounts {
  /** True while nobody owns this server: the next sign-up becomes the owner. */
  needsOwner(): Promise<boolean>
  /** Whether the first sign-up needs the set-up code. */
  readonly needsSetupCode: boolean
  signIn(input: SignInInput, from: { address: string }): Promise<SignedIn>
  /** `site` is what the first account makes of the shop, in one step with it: both or neither. */
  signUp(input: SignUpInput, from: { address: string; site?: SiteSetupInput | null }): Promise<SignedIn>
  /** Ends the login of a session token; returns the Set-Cookie that forgets it. */
  signOut(sessionToken: string | null): Promise<string>
  /** The email an invitation was made for; null when unknown, used or expired. */
  invitedEmail(invitation: string): Promise<string | null>
  /** The token of a new invitation, valid for 7 days and for this email. */
  invite(email: string): Promise<string>
  /** Few events are counted again by the days of another zone, where the store can. */
  setUpSite(input: SiteSetupInput): Promise<void>
  /** The zone of the shop that cannot be chosen any more; null while it can. */
  fixedZone(): Promise<string | null>
}
