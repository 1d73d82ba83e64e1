import { z } from 'zod'
import { listZones } from '../server/analysis/zone-list.ts'
import { ownerProcedure, publicProcedure, router } from './init.ts'
import { account, invitationInput, signInInput, signUpInput, siteSetupInput } from './schema/account.ts'

const signedIn = z.object({ user: account })

export const authRouter = router({
  signUp: publicProcedure
    .meta({
      openapi: { method: 'POST', path: '/api/auth/sign-up/email', tags: ['Accounts'], summary: 'Create an account' },
    })
    .input(signUpInput)
    .output(signedIn)
    .mutation(async ({ ctx, input }) => {
      const { account: user, cookie } = await ctx.accounts.signUp(input, { address: ctx.clientAddress })
      ctx.setCookie(cookie)
      return { user }
    }),

  signIn: publicProcedure
    .meta({ openapi: { method: 'POST', path: '/api/auth/sign-in/email', tags: ['Accounts'], summary: 'Log in' } })
    .input(signInInput)
    .output(signedIn)
    .mutation(async ({ ctx, input }) => {
      const { account: user, cookie } = await ctx.accounts.signIn(input, { address: ctx.clientAddress })
      ctx.setCookie(cookie)
      return { user }
    }),

  signOut: publicProcedure
    .meta({ openapi: { method: 'POST', path: '/api/auth/sign-out', tags: ['Accounts'], summary: 'Log out' } })
    .input(z.object({}).optional())
    .output(z.object({ success: z.boolean() }))
    .mutation(async ({ ctx }) => {
      ctx.setCookie(await ctx.accounts.signOut(ctx.sessionToken))
      return { success: true }
    }),

  session: publicProcedure
    .meta({
      openapi: { method: 'GET', path: '/api/auth/get-session', tags: ['Accounts'], summary: 'Who is logged in' },
    })
    .output(z.object({ user: account.nullable() }))
    .query(({ ctx }) => ({ user: ctx.account })),

  /** What the sign-up page needs to know before anybody is logged in. */
  signUpState: publicProcedure
    .input(z.object({ invitation: z.string().max(128).optional() }))
    .output(
      z.object({
        needsOwner: z.boolean(),
        needsSetupCode: z.boolean(),
        invitedEmail: z.string().nullable(),
        /** The shop's zone where it cannot be chosen any more. */
        fixedZone: z.string().nullable(),
      }),
    )
    .query(async ({ ctx, input }) => ({
      needsOwner: await ctx.accounts.needsOwner(),
      fixedZone: await ctx.accounts.fixedZone(),
      needsSetupCode: ctx.accounts.needsSetupCode,
      invitedEmail: input.invitation ? await ctx.accounts.invitedEmail(input.invitation) : null,
    })),

  /** The zones that a shop may choose, by their names, with the minutes by which each is ahead of UTC now. */
  zones: publicProcedure
    .output(z.array(z.object({ name: z.string(), ahead: z.number().int() })))
    .query(({ ctx }) => [...listZones(ctx.now())]),

  /** Token of a sign-up link (/signup?invitation=…) for one email, valid for 7 days. */
  invite: ownerProcedure
    .input(invitationInput)
    .output(z.object({ invitation: z.string() }))
    .mutation(async ({ ctx, input }) => ({ invitation: await ctx.accounts.invite(input.email) })),

  setUpSite: ownerProcedure
    .input(siteSetupInput)
    .output(z.object({ success: z.boolean() }))
    .mutation(async ({ ctx, input }) => {
      await ctx.accounts.setUpSite(input)
      return { success: true }
    }),
})
