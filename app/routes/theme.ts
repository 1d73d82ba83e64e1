import type { ActionFunctionArgs } from '@remix-run/node'
import { redirect } from '@remix-run/node'
import { localPath } from '../accounts/next.ts'
import { formOf } from '../accounts/posted.server.ts'
import { sends } from '../freshness/sending.ts'
import { isTheme, themeCookie } from '../theme.ts'

export const clientAction = sends

/** Stores the chosen color theme in a cookie and redirects back to the page. */
export async function action({ request }: ActionFunctionArgs) {
  const form = await formOf(request)
  const theme = form.get('theme')
  const back = form.get('back')
  return redirect(localPath(typeof back === 'string' ? back : null), {
    headers: { 'Set-Cookie': themeCookie(isTheme(theme) ? theme : 'system') },
  })
}

export function loader() {
  return redirect('/dashboard')
}
