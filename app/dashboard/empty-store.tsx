import { Form, useActionData, useNavigation } from '@remix-run/react'
import { Fragment, useState } from 'react'
import { FormError } from '../accounts/field.tsx'
import { formatSeconds } from '../format/time.ts'
import { useFrame } from '../frame/site.ts'
import { type Away, awayLines } from '../freshness/away.ts'
import { isUnsent, type Unsent } from '../freshness/sending.ts'
import { useHydrated } from '../hydrated.ts'
import { Card } from '../parts/card.tsx'
import { CopyButton } from '../parts/copy-button.tsx'
import { Icon } from '../parts/icon.tsx'

const example = '{"type":"page_view","userId":"test-1","sessionId":"test-1-a","payload":{"url":"/"}}'

/** Shown instead of the dashboard while the shop has no events. */
export function EmptyStore({
  siteName,
  origin,
  zone,
  now,
  needsKey,
  away,
}: {
  siteName: string
  origin: string
  zone: string
  now: string
  /** Whether events are accepted only with a write key. */
  needsKey: boolean
  away: Away | null
}) {
  const hydrated = useHydrated()
  const sending = useNavigation().state !== 'idle'
  const [since] = useState(now)
  const { account } = useFrame()
  const made = useActionData() as { key: string } | Unsent | undefined
  const key = made && !isUnsent(made) ? made.key : null
  const headers = [...(key ? [`Authorization: Bearer ${key}`] : []), 'Content-Type: application/json']
  const command = `curl -X POST ${origin}/events ${headers.map((header) => `-H "${header}"`).join(' ')} -d '${example}'`
  const isOpen = !needsKey || key !== null
  return (
    <main className="page" id="main" tabIndex={-1}>
      <div className="head">
        <div>
          <h1>Send your first event</h1>
          <p className="sub">{siteName} has no events yet. Numbers appear here a second after the first one arrives.</p>
        </div>
      </div>
      <div className="grid grid-cols-12 items-start gap-(--gap)">
        <Card
          title="With curl"
          className="col-span-12 lg:col-span-8"
          footer={
            <footer>
              <span role="status" className="inline-flex items-center gap-2">
                <i className={`dot ${away ? 'off' : 'warn'}`} aria-hidden="true" />
                {away
                  ? awayLines[away]
                  : hydrated
                    ? `Waiting for the first event, listening since ${formatSeconds(since, zone)}`
                    : 'Reload this page after sending'}
              </span>
            </footer>
          }
        >
          {isOpen ? (
            <p className="mb-4 text-text-2">
              Run this in any terminal. It sends one page view.
              {key && ' It holds a new write key, which is shown this once: keep it for a server, never in a browser.'}
            </p>
          ) : account.role === 'owner' ? (
            <Form method="post" className="grid justify-items-start gap-4">
              <p className="text-text-2">
                This server takes events only with a write key. Make one: the command with it is shown here, once.
              </p>
              {isUnsent(made) && <FormError message={made.unsent} />}
              <button type="submit" className="btn pri" disabled={sending}>
                {sending ? 'Making…' : 'Make a write key'}
              </button>
            </Form>
          ) : (
            <p className="text-text-2">
              This server takes events only with a write key. Its owner makes one here, or with{' '}
              <code>npm run keys</code>.
            </p>
          )}
          {isOpen && (
            <>
              {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard. */}
              <section className="code-box" tabIndex={0} aria-label="curl command">
                <span className="k">curl</span> -X POST {origin}/events \{'\n'}
                {headers.map((header) => (
                  <Fragment key={header}>
                    {'  '}-H <span className="s">"{header}"</span> \{'\n'}
                  </Fragment>
                ))}
                {'  '}-d <span className="s">'{example}'</span>
              </section>
              <div className="mt-4">
                <CopyButton className="btn pri" name="Copy command" text={command} />
              </div>
            </>
          )}
        </Card>
        <Card title="Set-up" className="col-span-12 lg:col-span-4" flush>
          <ol className="checks">
            <li>
              <span className="n done" aria-hidden="true">
                <Icon name="check" />
              </span>
              <div>
                <b>Create the owner account</b>
                <p className="text-[13px] text-text-2">Done</p>
              </div>
            </li>
            <li>
              <span className="n now" aria-hidden="true">
                2
              </span>
              <div>
                <b>Send your first event</b>
                <p className="text-[13px] text-text-2">Takes about 2 minutes</p>
              </div>
            </li>
            <li>
              <span className="n" aria-hidden="true">
                3
              </span>
              <div>
                <b>Send an order</b>
                <p className="text-[13px] text-text-2">
                  A <code>purchase</code> event turns on orders, conversion and revenue
                </p>
              </div>
            </li>
          </ol>
        </Card>
      </div>
    </main>
  )
}
