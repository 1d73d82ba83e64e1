import type { Account } from '../../../trpc/schema/account.ts'
import { AppError } from '../../errors.ts'
import { lastOwner } from '../last-owner.ts'
import type { AccountEntry, AccountStore, ApiToken, StoredAccount } from '../store.ts'
import type { Database } from './database.ts'

interface AccountRow {
  id: string
  email: string
  name: string
  role: Account['role']
  password_hash: string
  created_at: number
}

type Input<Method extends keyof AccountStore> = Parameters<AccountStore[Method]>[0]

export function countAccounts(db: Database): number {
  return db.get<{ accounts: number }>('SELECT count(*) AS accounts FROM accounts')?.accounts ?? 0
}

export function createAccount(
  db: Database,
  { account, onlyIfFirst }: { account: StoredAccount; onlyIfFirst: boolean },
): StoredAccount | null {
  const email = account.email.toLowerCase()
  return db.write(() => {
    if (onlyIfFirst && countAccounts(db) > 0) return null
    if (db.get('SELECT id FROM accounts WHERE email = ?', email))
      throw new AppError('conflict', 'An account with this email exists already.', { field: 'email' })
    db.run(
      'INSERT INTO accounts (id, email, name, role, password_hash, created_at) VALUES (?, ?, ?, ?, ?, ?)',
      account.id,
      email,
      account.name,
      account.role,
      account.passwordHash,
      account.createdAt,
    )
    return { ...account, email }
  })
}

export function accountByEmail(db: Database, email: string): StoredAccount | null {
  return toStoredAccount(db.get<AccountRow>('SELECT * FROM accounts WHERE email = ?', email.toLowerCase()))
}

export function accountById(db: Database, id: string): StoredAccount | null {
  return toStoredAccount(db.get<AccountRow>('SELECT * FROM accounts WHERE id = ?', id))
}

export function listAccounts(db: Database): AccountEntry[] {
  return db.all<AccountEntry>(
    'SELECT id, email, name, role, created_at AS createdAt FROM accounts ORDER BY created_at, id',
  )
}

export function removeAccount(db: Database, { id, evenLastOwner }: { id: string; evenLastOwner: boolean }): boolean {
  return db.write(() => {
    const account = accountById(db, id)
    if (!account) return false
    const others = db.get(`SELECT id FROM accounts WHERE role = 'owner' AND id <> ?`, id)
    const refusal = account.role === 'owner' && !others ? lastOwner(countAccounts(db) === 1, evenLastOwner) : null
    if (refusal) throw refusal
    db.run('DELETE FROM accounts WHERE id = ?', id)
    db.run('DELETE FROM account_sessions WHERE account_id = ?', id)
    db.run('DELETE FROM api_tokens WHERE account_id = ?', id)
    db.run('DELETE FROM invitations WHERE lower(email) = ?', account.email)
    return true
  })
}

export function makeOwner(db: Database, id: string): boolean {
  return db.write(() => db.run(`UPDATE accounts SET role = 'owner' WHERE id = ?`, id) > 0)
}

export function setPassword(db: Database, { id, passwordHash }: { id: string; passwordHash: string }): boolean {
  return db.write(() => {
    if (db.run('UPDATE accounts SET password_hash = ? WHERE id = ?', passwordHash, id) === 0) return false
    db.run('DELETE FROM account_sessions WHERE account_id = ?', id)
    return true
  })
}

export function listTokens(db: Database): ApiToken[] {
  return db.all<ApiToken>(
    'SELECT token_hash AS tokenHash, name, created_at AS createdAt FROM api_tokens ORDER BY created_at, token_hash',
  )
}

export function revokeToken(db: Database, tokenHash: string): boolean {
  return db.run('DELETE FROM api_tokens WHERE token_hash = ?', tokenHash) > 0
}

/** Also forgets logins that have expired: nobody asks for them again. */
export function createSession(db: Database, session: Input<'createSession'>): void {
  db.write(() => {
    db.run('DELETE FROM account_sessions WHERE expires_at <= ?', session.createdAt)
    db.run(
      'INSERT INTO account_sessions (token_hash, account_id, created_at, expires_at) VALUES (?, ?, ?, ?)',
      session.tokenHash,
      session.accountId,
      session.createdAt,
      session.expiresAt,
    )
  })
}

export function accountBySession(db: Database, { tokenHash, now }: { tokenHash: string; now: number }): Account | null {
  return (
    db.get<Account>(
      `SELECT a.id, a.email, a.name, a.role FROM account_sessions s JOIN accounts a ON a.id = s.account_id
       WHERE s.token_hash = ? AND s.expires_at > ?`,
      tokenHash,
      now,
    ) ?? null
  )
}

export function deleteSession(db: Database, tokenHash: string): void {
  db.run('DELETE FROM account_sessions WHERE token_hash = ?', tokenHash)
}

export function createInvitation(db: Database, invitation: Input<'createInvitation'>): void {
  db.run(
    'INSERT INTO invitations (token_hash, email, created_at, expires_at) VALUES (?, ?, ?, ?)',
    invitation.tokenHash,
    invitation.email,
    invitation.createdAt,
    invitation.expiresAt,
  )
}

export function invitation(
  db: Database,
  { tokenHash, now }: { tokenHash: string; now: number },
): { email: string } | null {
  return (
    db.get<{ email: string }>(
      'SELECT email FROM invitations WHERE token_hash = ? AND expires_at > ?',
      tokenHash,
      now,
    ) ?? null
  )
}

export function deleteInvitation(db: Database, tokenHash: string): boolean {
  return db.run('DELETE FROM invitations WHERE token_hash = ?', tokenHash) > 0
}

export function createToken(db: Database, token: Input<'createToken'>): void {
  db.run(
    'INSERT INTO api_tokens (token_hash, name, account_id, created_at) VALUES (?, ?, ?, ?)',
    token.tokenHash,
    token.name,
    token.accountId,
    token.createdAt,
  )
}

export function accountToken(db: Database, tokenHash: string): { name: string } | null {
  return db.get<{ name: string }>('SELECT name FROM api_tokens WHERE token_hash = ?', tokenHash) ?? null
}

function toStoredAccount(row: AccountRow | undefined): StoredAccount | null {
  if (!row) return null
  const { id, email, name, role } = row
  return { id, email, name, role, passwordHash: row.password_hash, createdAt: row.created_at }
}
