import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { Form, Link, useLoaderData, useLocation, useNavigation } from '@remix-run/react'
import { useEffect, useRef } from 'react'
import { ask } from '../errors/answers.server.ts'
import { seen } from '../format/direction.ts'
import { formatCount, plural } from '../format/number.ts'
import { FramedError } from '../frame/framed-error.tsx'
import { FreshnessLine, StaleBanner } from '../freshness/freshness.tsx'
import { keepsLast } from '../freshness/kept.ts'
import { useLive } from '../freshness/live.ts'
import { pulseOf } from '../freshness/pulse.server.ts'
import { Empty } from '../parts/card.tsx'
import { Icon } from '../parts/icon.tsx'
import type { ListAddress } from '../users/list-address.ts'
import { listAddress, pageSizes, readListAddress } from '../users/list-address.ts'
import { UsersTable } from '../users/table.tsx'

export const meta: MetaFunction = () => [{ title: 'Users · Veritas' }]

export async function loader(args: LoaderFunctionArgs) {
  const pulse = await pulseOf(args)
  const list = readListAddress(new URL(args.request.url).searchParams)
  const found = await ask(args, () =>
    args.context.trpc.users.list({
      pageSize: list.pageSize,
      sort: list.sort,
      order: list.order,
      search: list.search || undefined,
      cursor: list.cursor ?? undefined,
    }),
  )
  return { found, list, pulse }
}

const routeId = 'routes/_frame.users._index'
export const clientLoader = keepsLast(routeId)

export default function Users() {
  const data = useLoaderData<typeof loader>()
  const { found, list } = data
  const { search } = useLocation()
  const { site, totalCount } = found
  const live = useLive(routeId, data)
  const loading = useListLoading()
  return (
    <main className="page" id="main" tabIndex={-1} aria-busy={loading}>
      <StaleBanner {...live} zone={site.timeZone} />
      <div className="head">
        <div className="min-w-0 flex-1">
          <h1>Users</h1>
          <p className="sub flex flex-wrap gap-x-4">
            <span>
              {plural(totalCount, 'user')}
              {list.search && (
                <>
                  {' '}
                  whose ID begins with “<bdi>{seen(list.search)}</bdi>”
                </>
              )}
              , over the whole history
            </span>
            <FreshnessLine {...live} zone={site.timeZone} />
          </p>
        </div>
        <a className="btn" href={`/users.csv${search}`}>
          <Icon name="export" />
          <span className="max-sm:sr-only">Export CSV</span>
        </a>
      </div>
      <section className="card" aria-label="Users table">
        <SearchForm list={list} isFound={found.users.length > 0} />
        {found.users.length === 0 ? (
          <NoUser list={list} />
        ) : (
          <div className={loading ? 'opacity-55 transition-opacity' : undefined}>
            <UsersTable
              users={found.users}
              list={list}
              zone={site.timeZone}
              currency={site.currency}
              today={data.pulse.today}
            />
          </div>
        )}
        {found.users.length > 0 && <Pager />}
      </section>
    </main>
  )
}

function SearchForm({ list, isFound }: { list: ListAddress; isFound: boolean }) {
  const field = useRef<HTMLInputElement>(null)
  const sent = useRef(list.search)
  // Update the field in place, so that it keeps the focus and what is typed while an answer is loading.
  useEffect(() => {
    if (field.current && sent.current !== list.search) field.current.value = list.search
    sent.current = list.search
  }, [list.search])
  return (
    <search className="flex flex-wrap items-center gap-3 px-5 py-3.5 max-sm:px-4">
      <Form
        method="get"
        action="/users"
        className="flex w-full max-w-md gap-2"
        onSubmit={() => {
          sent.current = readListAddress(new URLSearchParams({ search: field.current?.value ?? '' })).search
        }}
      >
        <div className="in-wrap flex-1">
          <Icon name="search" />
          <input
            ref={field}
            className="input small"
            type="search"
            name="search"
            defaultValue={list.search}
            maxLength={256}
            aria-label="Find a user by the beginning of the ID"
            placeholder="Find by ID"
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
          />
        </div>
        {(list.sort !== 'lastActive' || list.order !== 'desc') && (
          <>
            <input type="hidden" name="sort" value={list.sort} />
            <input type="hidden" name="order" value={list.order} />
          </>
        )}
        {list.pageSize !== 50 && <input type="hidden" name="pageSize" value={list.pageSize} />}
        <button type="submit" className="btn">
          Search
        </button>
      </Form>
      {/* If no user is found, the empty list offers this link instead. */}
      {list.search && isFound && (
        <Link className="btn quiet" to={listAddress(list, { search: '' })}>
          Clear
        </Link>
      )}
      <nav
        className="ml-auto flex items-center gap-2 text-[13px] text-text-2 max-sm:hidden"
        aria-label="Rows of a page"
      >
        <span aria-hidden="true">Rows</span>
        <span className="seg">
          {pageSizes.map((size) => (
            <Link
              key={size}
              to={listAddress(list, { pageSize: size })}
              aria-current={size === list.pageSize ? 'true' : undefined}
              preventScrollReset
            >
              {size}
            </Link>
          ))}
        </span>
      </nav>
    </search>
  )
}

function NoUser({ list }: { list: ListAddress }) {
  return list.search ? (
    <Empty
      title={`No user matches “${seen(list.search)}”`}
      action={
        <Link className="btn small" to={listAddress(list, { search: '' })}>
          Clear
        </Link>
      }
    >
      The search looks at the beginning of the ID; upper and lower case count.
    </Empty>
  ) : (
    <Empty
      title={list.cursor ? 'No users on this page any more' : 'No users yet'}
      action={
        <Link className="btn small" to={list.cursor ? listAddress(list) : '/dashboard'}>
          {list.cursor ? 'First page' : 'Send your first event'}
        </Link>
      }
    >
      {list.cursor
        ? 'The list has changed since this address was made.'
        : 'Everybody who sends an event appears here with sessions, events and orders.'}
    </Empty>
  )
}

function Pager() {
  const { found, list } = useLoaderData<typeof loader>()
  const first = (found.page - 1) * found.pageSize + 1
  const last = first + found.users.length - 1
  return (
    <nav className="pager" aria-label="Pages of the list">
      <span className="text-text-2">
        Showing{' '}
        <b className="text-text">
          {formatCount(first)}–{formatCount(last)}
        </b>{' '}
        of <b className="text-text">{formatCount(found.totalCount)}</b>
      </span>
      <span className="r ml-auto flex gap-2">
        <Step cursor={found.previousCursor} list={list} label="Previous" />
        <Step cursor={found.nextCursor} list={list} label="Next" />
      </span>
    </nav>
  )
}

function Step({ cursor, list, label }: { cursor: string | null; list: ListAddress; label: 'Previous' | 'Next' }) {
  const inside = (
    <>
      {label === 'Previous' && <Icon name="left" />}
      {label}
      {label === 'Next' && <Icon name="right" />}
    </>
  )
  return cursor ? (
    <Link className="btn small" to={listAddress(list, { cursor })} prefetch="intent">
      {inside}
    </Link>
  ) : (
    <span className="btn small" aria-disabled="true">
      {inside}
    </span>
  )
}

function useListLoading(): boolean {
  const { state, location } = useNavigation()
  return state === 'loading' && location.pathname === '/users'
}

export function ErrorBoundary() {
  return <FramedError />
}
