import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { Form, Link, useActionData, useLoaderData, useNavigation } from '@remix-run/react'
import { signUpInput, siteSetupInput } from '../../trpc/schema/account.ts'
import { AuthPage } from '../accounts/auth-page.tsx'
import { Field, FormError } from '../accounts/field.tsx'
import { PersonFields } from '../accounts/person-fields.tsx'
import { currencyChoices, zoneChoices } from '../accounts/places.server.ts'
import { fieldErrors, formOf, logIn, refuse, textsOf } from '../accounts/posted.server.ts'
import { usePosted, useRefused } from '../accounts/refused.ts'
import { ShopFields } from '../accounts/shop-fields.tsx'
import { leaveWhenLoggedIn } from '../accounts/visitor.server.ts'
import { ask } from '../errors/answers.server.ts'
import { sends } from '../freshness/sending.ts'

export const meta: MetaFunction<typeof loader> = ({ data }) => [
  { title: `${data?.needsOwner ? 'Set up' : 'Sign up'} · Veritas` },
]

export async function loader(args: LoaderFunctionArgs) {
  await leaveWhenLoggedIn(args, '/dashboard')
  const invitation = new URL(args.request.url).searchParams.get('invitation')?.slice(0, 128) || null
  const { needsOwner, needsSetupCode, invitedEmail, fixedZone } = await ask(args, () =>
    args.context.trpc.auth.signUpState({ invitation: invitation ?? undefined }),
  )
  return {
    needsOwner,
    needsSetupCode,
    setupCode: new URL(args.request.url).searchParams.get('code')?.slice(0, 128) ?? '',
    invitation,
    invitedEmail,
    zones: needsOwner ? zoneChoices(await ask(args, () => args.context.trpc.auth.zones())) : [],
    currencies: needsOwner ? currencyChoices() : null,
    fixedZone,
    serverZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  }
}

export async function action(args: ActionFunctionArgs) {
  const { request, context } = args
  const texts = textsOf(await formOf(request))
  const { needsOwner } = await ask(args, () => context.trpc.auth.signUpState({}))
  const errors = {
    ...fieldErrors(signUpInput, { ...texts, invitation: texts.invitation || undefined }),
    ...(needsOwner && fieldErrors(siteSetupInput, texts)),
  }
  if (Object.keys(errors).length > 0) return refuse(errors, texts, 400)
  return logIn('sign-up', { request, context, texts, to: '/dashboard' })
}

export const clientAction = sends

export default function SignUp() {
  const { needsOwner, invitation, invitedEmail } = useLoaderData<typeof loader>()
  if (needsOwner) return <SetUp />
  if (invitedEmail) return <Invited email={invitedEmail} invitation={invitation ?? ''} />
  return (
    <AuthPage>
      <div className="form">
        <div>
          <h1>Sign up is by invitation</h1>
          <p className="mt-1 text-text-2">
            {invitation
              ? 'This invitation was used, has expired or was mistyped. Ask the owner of this server for a new one.'
              : 'This server has an owner. Ask them for an invitation; its link opens a form on this page.'}
          </p>
        </div>
        <Link className="btn pri large" to="/login">
          Log in
        </Link>
      </div>
    </AuthPage>
  )
}

function Invited({ email, invitation }: { email: string; invitation: string }) {
  const { refused, errors, values } = usePosted(useActionData())
  const form = useRefused(refused)
  const sending = useNavigation().state !== 'idle'
  return (
    <AuthPage>
      <Form method="post" className="form" noValidate ref={form}>
        <div>
          <h1>Create your account</h1>
          <p className="mt-1 text-text-2">You were invited as an analyst.</p>
        </div>
        <FormError message={errors.form ?? errors.invitation} />
        <input type="hidden" name="invitation" value={invitation} />
        <PersonFields invitedEmail={email} errors={errors} values={values} />
        <button type="submit" className="btn pri large" disabled={sending}>
          {sending ? 'Creating…' : 'Create account'}
        </button>
        <p className="text-center text-[13px] text-text-2">
          Have an account? <Link to="/login">Log in</Link>
        </p>
      </Form>
    </AuthPage>
  )
}

function SetUp() {
  const { zones, currencies, serverZone, fixedZone, needsSetupCode, setupCode } = useLoaderData<typeof loader>()
  const { refused, errors, values } = usePosted(useActionData())
  const form = useRefused(refused)
  const sending = useNavigation().state !== 'idle'
  return (
    <AuthPage wide>
      <Form method="post" className="form" noValidate ref={form}>
        <ol className="steps" aria-label="Set-up steps">
          <li aria-current="step">
            <span className="n">1</span>Owner
          </li>
          <li>
            <span className="n">2</span>Send an event
          </li>
        </ol>
        <div>
          <h1>Set up Veritas</h1>
          <p className="mt-1 text-text-2">
            This server has no owner yet. The first account owns it and can invite others.
          </p>
        </div>
        <FormError message={errors.form} />
        {needsSetupCode && (
          <Field
            name="setupCode"
            label="Set-up code"
            autoComplete="off"
            spellCheck={false}
            defaultValue={values.setupCode ?? setupCode}
            hint="Printed where the server started. There, npm run setup-code prints it again."
            error={errors.setupCode}
            required
          />
        )}
        <PersonFields errors={errors} values={values} />
        <ShopFields
          zones={zones}
          currencies={currencies}
          serverZone={serverZone}
          fixedZone={fixedZone}
          errors={errors}
          values={values}
        />
        <button type="submit" className="btn pri large" disabled={sending}>
          {sending ? 'Creating…' : 'Create owner account'}
        </button>
      </Form>
    </AuthPage>
  )
}
