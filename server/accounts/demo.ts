import type { AccountStore } from '../store/store.ts'
import { hashPassword } from './passwords.ts'

/** The login of a demo store, printed at every start. Known to everybody, so it exists on nobody's real server. */
export const demoLogin = { email: 'demo@veritas.local', password: 'see-the-truth', name: 'Demo Analyst' } as const

export async function hasDemoAccount(store: AccountStore): Promise<boolean> {
  return (await store.byEmail(demoLogin.email)) !== null
}

/** Makes the demo account the owner of an empty server; false when somebody owns it already. */
export async function createDemoAccount(store: AccountStore, now: number): Promise<boolean> {
  const { email, name, password } = demoLogin
  const passwordHash = await hashPassword(password)
  const account = { id: 'demo', email, name, role: 'owner' as const, passwordHash, createdAt: now }
  return (await store.create(account, { onlyIfFirst: true })) !== null
}
