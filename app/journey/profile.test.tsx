import { renderToStaticMarkup } from 'react-dom/server'
import { expect, it } from 'vitest'
import type { UserProfile } from '../../trpc/schema/users.ts'
import { Profile } from './profile.tsx'

const user: UserProfile = {
  userId: 'anna',
  totalEvents: 40,
  totalSessions: 10,
  orders: 0,
  money: [],
  firstActive: '2026-10-01T08:00:00.000Z',
  lastActive: '2026-10-11T08:00:00.000Z',
  site: { id: 'default', name: 'Shop', timeZone: 'UTC', currency: 'EUR' },
  freshness: { waiting: 0, completeTo: '2026-10-11T08:00:00.000Z' },
}

it.each([
  [0, 'none so far'],
  [4, 'one in 2.5 sessions'],
  [9, 'one in 1.1 sessions'],
  [10, '1.0 a session'],
  [25, '2.5 a session'],
])('says how often %i orders of ten sessions are', (orders, text) => {
  expect(renderToStaticMarkup(<Profile user={{ ...user, orders }} />)).toContain(`>${text}<`)
})
