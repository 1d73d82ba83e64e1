import type { Filter } from 'mongodb'
import type { Account } from '../../../trpc/schema/account.ts'
import { AppError } from '../../errors.ts'
import { lastOwner } from '../last-owner.ts'
import type { AccountStore, StoredAccount } from '../store.ts'
import { isDuplicateKey, READ_TIMEOUT_MS } from './client.ts'
import type { Collections } from './collections.ts'
import type { AccountRow } from './rows.ts'

const bounded = { maxTimeMS: READ_TIMEOUT_MS }

/** Removing an account takes less; who died meanwhile stays an owner. */
const LEAVING_MS = 60_000

/** `writing` and `asking` are the same collections over different connections. */
export function createAccountStore(writing: Collections, asking: Collections): AccountStore {
  /**
   * Marks an owner as leaving before it looks for one who stays: of two who are removed at the same moment at least one
   * sees the mark of the other. Resolves to why it may not leave, with the mark taken back.
   */
  async function leave(id: string, evenLastOwner: boolean): Promise<AppError | null> {
    const now = Date.now()
    await writing.accounts.updateOne({ _id: id }, { $set: { leavingAt: now } })
    const staying: Filter<AccountRow> = {
      role: 'owner',
      _id: { $ne: id },
      $or: [{ leavingAt: { $exists: false } }, { leavingAt: { $lt: now - LEAVING_MS } }],
    }
    if (await writing.accounts.findOne(staying, bounded)) return null
    const isAlone = !(await writing.accounts.findOne({ _id: { $ne: id } }, bounded))
    const refusal = lastOwner(isAlone, evenLastOwner)
    if (refusal) await writing.accounts.updateOne({ _id: id }, { $unset: { leavingAt: '' } })
    return refusal
  }

  return {
    count: () => asking.accounts.countDocuments({}, bounded),

    async create(account, { onlyIfFirst = false } = {}) {
      const email = account.email.toLowerCase()
      if (onlyIfFirst && (await writing.accounts.findOne({}, bounded))) return null
      const { id, name, role, passwordHash, createdAt } = account
      const row: AccountRow = { _id: id, email, name, role, passwordHash, createdAt }
      try {
        await writing.accounts.insertOne(onlyIfFirst ? { ...row, isFirst: true } : row)
      } catch (error) {
        if (!isDuplicateKey(error)) throw error
        // Whatever is there twice, email or the mark of the first: somebody was faster.
        if (onlyIfFirst) return null
        throw new AppError('conflict', 'An account with this email exists already.', { field: 'email', cause: error })
      }
      return toStoredAccount(row)
    },

    async byEmail(email) {
      const row = await asking.accounts.findOne({ email: email.toLowerCase() }, bounded)
      return row && toStoredAccount(row)
    },

    async byId(id) {
      const row = await asking.accounts.findOne({ _id: id }, bounded)
      return row && toStoredAccount(row)
    },

    async list() {
      const rows = await asking.accounts.find({}, bounded).sort({ createdAt: 1, _id: 1 }).toArray()
      return rows.map((row) => ({ ...toAccount(row), createdAt: row.createdAt }))
    },

    async remove(id, { evenLastOwner = false } = {}) {
      const account = await writing.accounts.findOne({ _id: id }, bounded)
      if (!account) return false
      const refusal = account.role === 'owner' ? await leave(id, evenLastOwner) : null
      if (refusal) throw refusal
      // The account first: nobody can log in to it from then on, and a login without its account is none.
      const { deletedCount } = await writing.accounts.deleteOne({ _id: id })
      await writing.logins.deleteMany({ accountId: id })
      await writing.tokens.deleteMany({ accountId: id })
      await writing.invitations.deleteMany({ email: account.email })
      return deletedCount > 0
    },

    async makeOwner(id) {
      return (
        (await writing.accounts.updateOne({ _id: id }, { $set: { role: 'owner' }, $unset: { leavingAt: '' } }))
          .matchedCount > 0
      )
    },

    async setPassword(id, passwordHash) {
      const { matchedCount } = await writing.accounts.updateOne({ _id: id }, { $set: { passwordHash } })
      await writing.logins.deleteMany({ accountId: id })
      return matchedCount > 0
    },

    async listTokens() {
      const rows = await asking.tokens.find({}, bounded).sort({ createdAt: 1, _id: 1 }).toArray()
      return rows.map(({ _id, name, createdAt }) => ({ tokenHash: _id, name, createdAt }))
    },

    async revokeToken(tokenHash) {
      return (await writing.tokens.deleteOne({ _id: tokenHash })).deletedCount > 0
    },

    /** Also forgets logins that have expired: nobody asks for them again. */
    async createSession({ tokenHash, accountId, createdAt, expiresAt }) {
      await writing.logins.deleteMany({ expiresAt: { $lte: createdAt } })
      await writing.logins.insertOne({ _id: tokenHash, accountId, createdAt, expiresAt })
    },

    async bySession(tokenHash, now) {
      const login = await asking.logins.findOne({ _id: tokenHash, expiresAt: { $gt: now } }, bounded)
      const row = login && (await asking.accounts.findOne({ _id: login.accountId }, bounded))
      return row && toAccount(row)
    },

    async deleteSession(tokenHash) {
      await writing.logins.deleteOne({ _id: tokenHash })
    },

    async createInvitation({ tokenHash, email, createdAt, expiresAt }) {
      await writing.invitations.insertOne({ _id: tokenHash, email, createdAt, expiresAt })
    },

    async invitation(tokenHash, now) {
      const row = await asking.invitations.findOne({ _id: tokenHash, expiresAt: { $gt: now } }, bounded)
      return row && { email: row.email }
    },

    async deleteInvitation(tokenHash) {
      return (await writing.invitations.deleteOne({ _id: tokenHash })).deletedCount > 0
    },

    async createToken({ tokenHash, name, accountId, createdAt }) {
      await writing.tokens.insertOne({ _id: tokenHash, name, accountId, createdAt })
    },

    async byToken(tokenHash) {
      const row = await asking.tokens.findOne({ _id: tokenHash }, bounded)
      return row && { name: row.name }
    },
  }
}

function toAccount({ _id, email, name, role }: AccountRow): Account {
  return { id: _id, email, name, role }
}

function toStoredAccount(row: AccountRow): StoredAccount {
  return { ...toAccount(row), passwordHash: row.passwordHash, createdAt: row.createdAt }
}
