import { AppError } from '../../../errors.ts'
import type { Collections } from '../collections.ts'
import type { PlannedRow, RollupName, Rollups } from '../rows.ts'

/** Of rows in memory, in each of two generations; users and sessions are most of them. */
const MAX_ROWS = 50_000
/** Keys that are asked for at once: a short list costs a server less a key than a long one, and several go side by side. */
const STEP_IDS = 250

type Rows = Map<RollupName, Map<string, Rollups[RollupName]>>

/**
 * Rows as this process's last folds left them: the next batch mostly has events of the same visits. Right for as long as
 * nobody else has folded, which the head tells. Rows that no recent fold has written go: when the young are too many
 * they become the old, and the old are forgotten.
 */
export class Known {
  #rows: Collections
  /** A zone stays as it is once a site has events. */
  readonly #zones = new Map<string, string>()
  readonly #maxRows: number
  #young: Rows = new Map()
  #old: Rows = new Map()
  #applied = -1
  /** Of the young. */
  #size = 0

  constructor(rows: Collections, maxRows = MAX_ROWS) {
    this.#rows = rows
    this.#maxRows = maxRows
  }

  /** What is not remembered is read from these. */
  readFrom(rows: Collections): void {
    this.#rows = rows
  }

  /** To be called before rows are found for the fold after this one. */
  refresh(applied: number): void {
    if (this.#applied !== applied) this.#forget(applied)
  }

  /** The rows of this fold are written, and those before them were known. */
  keep(fold: number, planned: PlannedRow[]): void {
    if (this.#applied !== fold - 1) this.#forget(fold)
    this.#applied = fold
    if (this.#size + planned.length > this.#maxRows) {
      this.#old = this.#young
      this.#young = new Map()
      this.#size = 0
    }
    for (const { into, row } of planned) {
      if (into === 'gone') continue
      const rows = this.#ofYoung(into)
      if (!rows.has(row._id)) this.#size += 1
      rows.set(row._id, row)
    }
  }

  async zone(siteId: string): Promise<string> {
    const zone = this.#zones.get(siteId) ?? (await this.#rows.sites.findOne({ _id: siteId }))?.timeZone
    if (zone === undefined) throw new AppError('unavailable', `The site ${siteId} is missing.`)
    this.#zones.set(siteId, zone)
    return zone
  }

  async find<Name extends RollupName>(name: Name, ids: Iterable<string>): Promise<Map<string, Rollups[Name]>> {
    const young = this.#young.get(name) as Map<string, Rollups[Name]> | undefined
    const old = this.#old.get(name) as Map<string, Rollups[Name]> | undefined
    const found = new Map<string, Rollups[Name]>()
    const unknown: string[] = []
    for (const id of ids) {
      const row = young?.get(id) ?? old?.get(id)
      if (row) found.set(id, row)
      else unknown.push(id)
    }
    const steps: Promise<Rollups[Name][]>[] = []
    for (let from = 0; from < unknown.length; from += STEP_IDS)
      steps.push(this.#read(name, unknown.slice(from, from + STEP_IDS)))
    for (const rows of await Promise.all(steps)) for (const row of rows) found.set(row._id, row)
    return found
  }

  #read<Name extends RollupName>(name: Name, ids: string[]): Promise<Rollups[Name][]> {
    const filter = { _id: { $in: ids } } as object
    return this.#rows[name].find(filter, { batchSize: STEP_IDS + 1 }).toArray() as unknown as Promise<Rollups[Name][]>
  }

  #ofYoung(name: RollupName): Map<string, Rollups[RollupName]> {
    let rows = this.#young.get(name)
    if (!rows) {
      rows = new Map()
      this.#young.set(name, rows)
    }
    return rows
  }

  #forget(applied: number): void {
    this.#young = new Map()
    this.#old = new Map()
    this.#size = 0
    this.#applied = applied
  }
}
