import { Form, Link, useLocation, useSubmit } from '@remix-run/react'
import { useEffect, useRef } from 'react'
import type { EventType } from '../../trpc/schema/event-types.ts'
import type { Session } from '../../trpc/schema/journey.ts'
import { seen } from '../format/direction.ts'
import { formatDay } from '../format/time.ts'
import { Icon } from '../parts/icon.tsx'
import type { JourneyFilter } from './load.server.ts'

type HrefOf = (changes: Record<string, string | null>) => string

interface Filtered {
  filter: JourneyFilter
  types: { name: EventType; icon: string }[]
  entrySessions: Session[]
}

/** Parameters set by this form, or positions in a list that a new filter makes invalid. */
const replaced = ['type', 'date', 'cursor', 'sessions']

/** A form that filters the timeline and sets its order and start. It works without JavaScript. */
export function Filters({ data: { filter, types }, hrefOf }: { data: Filtered; hrefOf: HrefOf }) {
  const { pathname, search } = useLocation()
  const submit = useSubmit()
  const form = useRef<HTMLFormElement>(null)
  const kept = [...new URLSearchParams(search)].filter(([name]) => !replaced.includes(name))
  const [type, day] = [filter.type ?? '', filter.day ?? '']
  // Update the fields in place when the filter changes, so that they keep the focus.
  useEffect(() => {
    for (const [name, value] of Object.entries({ type, date: day })) {
      const field = form.current?.elements.namedItem(name)
      if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) field.value = value
    }
  }, [type, day])
  return (
    <div className="flex flex-wrap items-center gap-2">
      <Form
        ref={form}
        method="get"
        action={pathname}
        className="flex flex-wrap gap-2"
        preventScrollReset
        onSubmit={(event) => {
          event.preventDefault()
          const chosen = [...new FormData(event.currentTarget)].filter(([, value]) => value !== '')
          submit(new URLSearchParams(chosen as [string, string][]), { action: pathname, preventScrollReset: true })
        }}
      >
        {kept.map(([name, value]) => (
          <input key={name} type="hidden" name={name} value={value} />
        ))}
        <select className="pick h-8.5! min-w-0" name="type" aria-label="Event type" defaultValue={type}>
          <option value="">All event types</option>
          {types.map(({ name, icon }) => (
            <option key={name} value={name}>
              {icon} {name}
            </option>
          ))}
        </select>
        <label className="pick pr-1! text-[13px] text-text-2!">
          Go to
          <input type="date" name="date" defaultValue={day} min="1900-01-01" max="9998-12-31" aria-label="Go to day" />
        </label>
        {/* A button, since arrow keys change the type step by step: the page should not reload at every step. */}
        <button type="submit" className="btn small h-8.5!">
          Apply
        </button>
      </Form>
      <nav className="seg" aria-label="Order">
        <Link
          to={hrefOf({ order: null })}
          aria-current={filter.order === 'desc' ? 'true' : undefined}
          preventScrollReset
        >
          Newest<span className="max-sm:hidden">&nbsp;first</span>
        </Link>
        <Link
          to={hrefOf({ order: 'asc' })}
          aria-current={filter.order === 'asc' ? 'true' : undefined}
          preventScrollReset
        >
          Oldest<span className="max-sm:hidden">&nbsp;first</span>
        </Link>
      </nav>
    </div>
  )
}

/** The session selected in the address; null if there is none or it has no events to show. */
export function chosenOf({ filter, entrySessions }: Filtered, sessions: readonly Session[]): Session | null {
  return [...entrySessions, ...sessions].find(({ sessionId }) => sessionId === filter.sessionId) ?? null
}

/** The active filters of the timeline, each with a link that removes it. */
export function Chosen({ data, sessions, hrefOf }: { data: Filtered; sessions: readonly Session[]; hrefOf: HrefOf }) {
  const { sessionId, day, oddDay, order } = data.filter
  const session = chosenOf(data, sessions)
  const name = session ? `Session ${session.number}` : sessionId && seen(sessionId)
  if (name === null && day === null && oddDay === null) return null
  return (
    <p className="flex flex-wrap gap-2 px-5 pb-1 max-sm:px-4">
      {name !== null && (
        <span className="chip">
          <span className="truncate">
            Only{' '}
            <b>
              <bdi>{name}</bdi>
            </b>
          </span>
          <Link to={hrefOf({ session: null })} aria-label={`Show all sessions, not only ${name}`} preventScrollReset>
            <Icon name="cross" />
          </Link>
        </span>
      )}
      {day !== null && (
        <span className="chip">
          <span className="truncate">
            {order === 'desc' ? 'Up to' : 'From'} <b>{formatDay(day)}</b>
          </span>
          <Link
            to={hrefOf({ date: null })}
            aria-label={`Show events of all days, not only ${order === 'desc' ? 'up to' : 'from'} ${formatDay(day)}`}
            preventScrollReset
          >
            <Icon name="cross" />
          </Link>
        </span>
      )}
      {oddDay !== null && (
        <span className="text-[13px] text-warn" role="status">
          “<bdi>{seen(oddDay)}</bdi>” is not a day such as 2026-11-22. These are the{' '}
          {order === 'desc' ? 'newest' : 'oldest'} events.
        </span>
      )}
    </p>
  )
}
