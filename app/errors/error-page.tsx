import { isRouteErrorResponse, Link, useLocation, useRouteError } from '@remix-run/react'
import { useEffect } from 'react'
import { formatMoment, formatSeconds } from '../format/time.ts'
import { awayOf } from '../freshness/away.ts'
import { Icon } from '../parts/icon.tsx'
import { LogoMark } from '../parts/logo.tsx'
import { useRoot } from '../root-data.ts'
import { isPageError } from './page-error.ts'

interface Failure {
  status: number
  message: string | null
  reference: string | null
  at: string | null
  /** No answer came from the server. */
  isUnheard: boolean
}

function useFailure(): Failure {
  const error = useRouteError()
  const root = useRoot()
  if (isRouteErrorResponse(error)) {
    const said = isPageError(error.data) ? error.data : null
    return {
      status: error.status,
      message: said?.message ?? null,
      reference: said?.reference ?? (error.status >= 500 ? (root?.reference ?? null) : null),
      at: said?.at ?? root?.now ?? null,
      isUnheard: said?.away === 'server' || (said === null && isOfProxy(error.status)),
    }
  }
  // A network error thrown by a loader means that there was no answer, so the root data of the server does not apply.
  if (awayOf(error) === 'server' && typeof window !== 'undefined' && isNetworkError(error))
    return { status: 503, message: null, reference: null, at: null, isUnheard: true }
  return { status: 500, message: null, reference: root?.reference ?? null, at: root?.now ?? null, isUnheard: false }
}

/** The error shown in place of a page. `zone` is the shop's time zone, or UTC if unknown. */
export function ErrorPage({ zone = 'UTC' }: { zone?: string }) {
  const failure = useFailure()
  if (failure.status === 404) return <NotFound message={failure.message} />
  if (failure.isUnheard) return <Away {...aways.server} />
  if (failure.status === 503)
    return <Away {...(failure.message === null ? aways.store : { ...aways.busy, say: failure.message })} />
  if (failure.status < 500) return <Refused status={failure.status} message={failure.message} />
  return <Failed failure={failure} zone={zone} />
}

/** Statuses that a reverse proxy returns when the server behind it does not answer. */
function isOfProxy(status: number): boolean {
  return status === 502 || status === 504
}

function isNetworkError(error: unknown): boolean {
  return error instanceof TypeError && /fetch|network|load failed/i.test(error.message)
}

function NotFound({ message }: { message: string | null }) {
  return (
    <div className="error-page">
      <div>
        <p className="note font-semibold">404 · Page not found</p>
        <h1>{message?.replace(/\.$/, '') ?? 'There is no page at this address'}</h1>
        <p className="say">
          {message
            ? 'The ID may be mistyped: upper and lower case count. Nothing was changed.'
            : 'The link may be old or mistyped. Nothing was changed.'}
        </p>
        <div className="mt-5 flex flex-wrap gap-2">
          {message ? (
            <>
              <Link className="btn pri" to="/users">
                Open Users
              </Link>
              <Link className="btn" to="/dashboard">
                Open Dashboard
              </Link>
            </>
          ) : (
            <>
              <Link className="btn pri" to="/dashboard">
                Open Dashboard
              </Link>
              <Link className="btn" to="/users">
                <Icon name="search" />
                Find a user
              </Link>
            </>
          )}
        </div>
      </div>
    </div>
  )
}

const refusals: Record<number, { name: string; title: string }> = {
  400: { name: 'Not understood', title: 'This address asks for something that does not exist' },
  401: { name: 'Not logged in', title: 'This page is for people who are logged in' },
  403: { name: 'Not allowed', title: 'Your account may not do this' },
  405: { name: 'Not allowed', title: 'This address takes no form' },
  413: { name: 'Too large', title: 'This is more than the address takes' },
  429: { name: 'Too many requests', title: 'That was too much at once' },
}

function Refused({ status, message }: { status: number; message: string | null }) {
  const { name, title } = refusals[status] ?? { name: 'Request refused', title: 'The server refused this request' }
  return (
    <div className="error-page">
      <div>
        <p className="note font-semibold">
          {status} · {name}
        </p>
        <h1>{title}</h1>
        <p className="say">{message ?? 'Please go back and try again.'}</p>
        <div className="mt-5 flex flex-wrap gap-2">
          <Link className="btn pri" to="/dashboard">
            Open Dashboard
          </Link>
        </div>
      </div>
    </div>
  )
}

const ASK_AGAIN_MS = 2000

const aways = {
  store: {
    name: 'Store away',
    title: 'The figures cannot be read right now',
    say: 'The database of this server does not answer. Events are still taken and wait in its log: none is lost. This page comes back by itself.',
  },
  busy: {
    name: 'Busy',
    title: 'This takes more than the server can do at once',
  },
  server: {
    name: 'No answer',
    title: 'The server does not answer',
    say: 'It may be starting anew, or the connection is lost. What it has accepted is on its disk. This page comes back by itself.',
  },
} as const

/** Polls until the server is ready and its database is up, then reloads the page. */
function Away({ name, title, say }: { name: string; title: string; say: string }) {
  const { pathname, search } = useLocation()
  useEffect(() => {
    const asking = new AbortController()
    const timer = setInterval(async () => {
      const answer = await fetch('/health/ready', { signal: asking.signal })
        .then((response) => response.json() as Promise<{ database?: string }>)
        .catch(() => null)
      if (answer?.database === 'up') window.location.reload()
    }, ASK_AGAIN_MS)
    return () => {
      clearInterval(timer)
      asking.abort()
    }
  }, [])
  return (
    <div className="error-page">
      <div role="status">
        <p className="note font-semibold">503 · {name}</p>
        <h1>{title}</h1>
        <p className="say">{say}</p>
        <div className="mt-5 flex flex-wrap gap-2">
          <a className="btn pri" href={pathname + search}>
            <Icon name="retry" />
            Try again
          </a>
        </div>
      </div>
    </div>
  )
}

function Failed({ failure, zone }: { failure: Failure; zone: string }) {
  const { pathname, search } = useLocation()
  const { at, reference } = failure
  return (
    <div className="error-page">
      <div>
        <p className="note font-semibold">{failure.status} · Server error</p>
        <h1>This page could not be loaded</h1>
        <p className="say">Something failed on the server, and it was logged. No event was lost by it.</p>
        <div className="mt-5 flex flex-wrap gap-2">
          <a className="btn pri" href={pathname + search}>
            <Icon name="retry" />
            Try again
          </a>
          <Link className="btn" to="/dashboard" reloadDocument>
            Open Dashboard
          </Link>
        </div>
        <dl className="facts mt-7 bg-surface">
          {at && (
            <div>
              <dt>When</dt>
              <dd>
                {formatMoment(at, zone)}
                {formatSeconds(at, zone).slice(5)} {zone}
              </dd>
            </div>
          )}
          {reference && (
            <div>
              <dt>Reference</dt>
              <dd className="font-mono">{reference}</dd>
            </div>
          )}
          <div>
            <dt>Page</dt>
            <dd className="font-mono">{pathname}</dd>
          </div>
        </dl>
        {reference && <p className="note mt-2.5">Give the reference to whoever runs this server.</p>}
      </div>
    </div>
  )
}

/** Error page for failures outside the frame: only a header with the logo. */
export function BareErrorPage() {
  return (
    <>
      <header className="top">
        <div className="width">
          <a className="logo" href="/dashboard" aria-label="Veritas, go to dashboard">
            <LogoMark />
            <span>Veritas</span>
          </a>
        </div>
      </header>
      <main className="page" id="main">
        <ErrorPage />
      </main>
    </>
  )
}
