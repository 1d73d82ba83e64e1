/** Pages in the header. `key` is the second key of the shortcut "g d", "g u" and so on. */
export const pages = [
  { to: '/dashboard', name: 'Dashboard', key: 'd' },
  { to: '/users', name: 'Users', key: 'u' },
] as const
