import type { MovedKind, MovedRows, MovingStore } from '../../store.ts'
import type { Ask, Write } from '../keeping.ts'
import type { ScanPlace } from '../read/scan.ts'

export function createMoving(ask: Ask, write: Write): MovingStore {
  return {
    rows: <Kind extends MovedKind>(kind: Kind, after: string | null) =>
      ask('movedRows', { kind, after }) as Promise<MovedRows[Kind][]>,
    putRows: (kind, rows) => write('putRows', { kind, rows }),
    clearRows: (kind) => write('clearRows', kind),
    async events(siteId, place) {
      const { events, next } = await ask('scan', {
        siteId,
        place: place === null ? null : (JSON.parse(place) as ScanPlace),
      })
      return { events, next: next && JSON.stringify(next) }
    },
    figures: (siteId, place) => ask('movedFigures', { siteId, place }),
    putFigures: (siteId, rows) => write('putFigures', { siteId, rows }),
    state: () => ask('writtenState', null),
    mark: (name) => ask('mark', name),
    setMark: (name, value) => write('setMark', { name, value }),
  }
}
