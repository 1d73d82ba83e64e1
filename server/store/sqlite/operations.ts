import type { Site } from '../../../trpc/schema/common.ts'
import * as accounts from './accounts.ts'
import { auditDay, mendDay } from './audit/audit-day.ts'
import { countTotals, lostUsers, mendTotals } from './audit/audit-totals.ts'
import { auditUsers, countUser, mendUser } from './audit/audit-users.ts'
import { mendRepetitions, wrongRepetitions } from './audit/mend-repetitions.ts'
import { checkpoint } from './checkpoint.ts'
import type { Database } from './database.ts'
import * as jobs from './jobs.ts'
import * as keys from './keys.ts'
import { mark, setMark } from './marks.ts'
import { movedFigures, putFigures } from './move/figures.ts'
import { clearRows, movedRows, putRows } from './move/rows.ts'
import { writtenState } from './move/state.ts'
import { journey } from './read/journey.ts'
import { orders } from './read/orders.ts'
import { hours, overview, totals } from './read/overview.ts'
import { overviewUntil } from './read/part.ts'
import { scan } from './read/scan.ts'
import { sessions } from './read/sessions.ts'
import { listUsers, user, usersAfter } from './read/users.ts'
import { dropMonth, eventMonths, forgetIds, keepFrom, keptFrom } from './retention.ts'
import * as sites from './sites.ts'

/** Reads a page of the file; that is all a question needs to be answered. */
function ping(db: Database): void {
  db.get('SELECT month FROM months LIMIT 1')
}

/** What a reader thread answers; each sees one state of the store from its beginning to its end. */
export const readOperations = {
  overview,
  overviewUntil,
  hours,
  totals,
  listUsers,
  usersAfter,
  user,
  journey,
  orders,
  sessions,
  scan,
  site: sites.site,
  fixedZone: sites.fixedZone,
  sites: sites.allSites,
  ping,
  countAccounts: accounts.countAccounts,
  accountByEmail: accounts.accountByEmail,
  accountById: accounts.accountById,
  accountBySession: accounts.accountBySession,
  invitation: accounts.invitation,
  accountToken: accounts.accountToken,
  listAccounts: accounts.listAccounts,
  listTokens: accounts.listTokens,
  keyByHash: keys.keyByHash,
  keyDigests: keys.keyDigests,
  listKeys: keys.listKeys,
  listJobs: jobs.listJobs,
  keptFrom,
  eventMonths,
  lostUsers,
  movedRows,
  movedFigures,
  writtenState,
  mark,
}

/** What the thread of the audit does: in steps, each of which sees one state of the store. */
export const auditOperations = { auditDay, auditUsers, countUser, wrongRepetitions }

/** What the one writer thread does, each in a transaction of its own. */
export const writeOperations = {
  checkpoint,
  saveSite: (db: Database, { site, recountUpTo }: { site: Site; recountUpTo: number }) =>
    sites.saveSite(db, site, recountUpTo),
  createAccount: accounts.createAccount,
  createSession: accounts.createSession,
  deleteSession: accounts.deleteSession,
  createInvitation: accounts.createInvitation,
  deleteInvitation: accounts.deleteInvitation,
  createToken: accounts.createToken,
  removeAccount: accounts.removeAccount,
  makeOwner: accounts.makeOwner,
  setPassword: accounts.setPassword,
  revokeToken: accounts.revokeToken,
  createKey: keys.createKey,
  revokeKey: keys.revokeKey,
  claimJob: jobs.claimJob,
  releaseJob: jobs.releaseJob,
  noteJob: jobs.noteJob,
  keepFrom,
  dropMonth,
  forgetIds,
  mendDay,
  mendRepetitions,
  mendUser,
  countTotals,
  mendTotals,
  putRows,
  putFigures,
  clearRows,
  setMark,
}

type Operations = Record<string, (db: Database, input: never) => unknown>

export type ReadOperations = typeof readOperations
export type AuditOperations = typeof auditOperations & Pick<ReadOperations, 'lostUsers'>
export type WriteOperations = typeof writeOperations

export type InputOf<Group extends Operations, Name extends keyof Group> = Parameters<Group[Name]>[1] extends undefined
  ? null
  : Parameters<Group[Name]>[1]
export type AnswerOf<Group extends Operations, Name extends keyof Group> = ReturnType<Group[Name]>
