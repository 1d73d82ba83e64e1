import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { redirect } from '@remix-run/node'
import { Form, useActionData, useLoaderData, useNavigation } from '@remix-run/react'
import { signInInput } from '../../trpc/schema/account.ts'
import { AuthPage } from '../accounts/auth-page.tsx'
import { Field, FormError, PasswordField } from '../accounts/field.tsx'
import { localPath } from '../accounts/next.ts'
import { fieldErrors, formOf, logIn, refuse, textsOf } from '../accounts/posted.server.ts'
import { usePosted, useRefused } from '../accounts/refused.ts'
import { leaveWhenLoggedIn } from '../accounts/visitor.server.ts'
import { ask } from '../errors/answers.server.ts'
import { sends } from '../freshness/sending.ts'

export const meta: MetaFunction = () => [{ title: 'Log in · Veritas' }]

export async function loader(args: LoaderFunctionArgs) {
  const url = new URL(args.request.url)
  const next = localPath(url.searchParams.get('next'))
  await leaveWhenLoggedIn(args, next)
  const { needsOwner } = await ask(args, () => args.context.trpc.auth.signUpState({}))
  if (needsOwner) throw redirect('/signup')
  return { next, host: url.host, hasEnded: url.searchParams.has('ended') }
}

export async function action({ request, context }: ActionFunctionArgs) {
  const texts = textsOf(await formOf(request))
  const errors = fieldErrors(signInInput, { email: texts.email ?? '', password: texts.password ?? '' })
  if (Object.keys(errors).length > 0) return refuse(errors, texts, 400)
  return logIn('login', { request, context, texts, to: localPath(texts.next) })
}

export const clientAction = sends

export default function Login() {
  const { next, host, hasEnded } = useLoaderData<typeof loader>()
  const { refused, errors, values } = usePosted(useActionData())
  const sending = useNavigation().state !== 'idle'
  const form = useRefused(refused)
  return (
    <AuthPage>
      <Form method="post" className="form" noValidate ref={form}>
        <div>
          <h1>Log in</h1>
          <p className="mt-1 text-text-2">to {host}</p>
        </div>
        {hasEnded && !errors.form && (
          <div className="banner" role="status">
            <p className="text-text!">Your login has ended. Log in again to go on where you were.</p>
          </div>
        )}
        <FormError message={errors.form} />
        <input type="hidden" name="next" value={next} />
        <Field
          name="email"
          type="email"
          label="Email"
          autoComplete="username"
          inputMode="email"
          defaultValue={values.email}
          error={errors.email}
          required
        />
        <PasswordField
          name="password"
          label="Password"
          autoComplete="current-password"
          error={errors.password}
          required
        />
        <label className="check">
          <input type="checkbox" name="remember" value="on" defaultChecked={values.remember === 'on'} />
          Keep me logged in for 30 days
        </label>
        <button type="submit" className="btn pri large" disabled={sending}>
          {sending ? 'Logging in…' : 'Log in'}
        </button>
        <p className="text-center text-[13px] text-text-2">New here? Ask the owner of this server for an invitation.</p>
      </Form>
    </AuthPage>
  )
}
