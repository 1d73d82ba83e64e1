/** The pages of the bar above; key is what follows g. */
export const pages = [
  { to: '/dashboard', name: 'Dashboard', key: 'd' },
  { to: '/users', name: 'Users', key: 'u' },
] as const
