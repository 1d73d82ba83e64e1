import interUrl from '@fontsource-variable/inter/files/inter-latin-wght-normal.woff2?url'
import type { LinksFunction, LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import type { ShouldRevalidateFunctionArgs } from '@remix-run/react'
import { Links, Meta, Outlet, Scripts, ScrollRestoration } from '@remix-run/react'
import type { ReactNode } from 'react'
import { BareErrorPage } from './errors/error-page.tsx'
import { isUnsent } from './freshness/sending.ts'
import { useNonce } from './nonce.ts'
import type { RootData } from './root-data.ts'
import { useRoot } from './root-data.ts'
import stylesUrl from './styles/app.css?url'
import { themeOf } from './theme.ts'

export const links: LinksFunction = () => [
  { rel: 'preload', href: interUrl, as: 'font', type: 'font/woff2', crossOrigin: 'anonymous' },
  { rel: 'stylesheet', href: stylesUrl },
  { rel: 'icon', href: '/favicon.svg', type: 'image/svg+xml' },
]

export const meta: MetaFunction = () => [{ title: 'Veritas' }]

export function loader({ request, context }: LoaderFunctionArgs): RootData {
  return {
    theme: themeOf(request.headers.get('Cookie')),
    version: context.version,
    host: new URL(request.url).host,
    reference: context.requestId,
    now: new Date().toISOString(),
  }
}

/** The root data change only through a form, so background loads skip them, and cannot fail because of them. */
export function shouldRevalidate({ formMethod, actionResult }: ShouldRevalidateFunctionArgs): boolean {
  return formMethod !== undefined && !isUnsent(actionResult)
}

export function Layout({ children }: { children: ReactNode }) {
  const nonce = useNonce()
  const theme = useRoot()?.theme ?? 'system'
  return (
    <html lang="en" data-theme={theme === 'system' ? undefined : theme}>
      <head>
        <meta charSet="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="description" content="Self-hosted event analytics for online shops" />
        <meta name="theme-color" content="#004747" />
        <Meta />
        <Links />
      </head>
      <body>
        {children}
        <ScrollRestoration nonce={nonce} />
        <Scripts nonce={nonce} />
      </body>
    </html>
  )
}

export default function App() {
  return <Outlet />
}

export function ErrorBoundary() {
  return <BareErrorPage />
}
