import { SpanKind } from '@opentelemetry/api'
import type { OnCommand } from '../../store/mongo/commands.ts'
import type { Store } from '../../store/store.ts'
import { errorType, inSpan, isTraced } from '../tracing.ts'
import type { Measures } from './measures.ts'

/** For openStore: measures each command that MongoDB is sent. */
export function measureCommand({ operations }: Pick<Measures, 'operations'>): OnCommand {
  return ({ name, collection, error, tookMs }) => operations.of('mongodb', name, collection, error).add(tookMs / 1000)
}

/** Calls of the writer, of health checks, of the look-out for changes and of the door, which nobody's page waits for. */
const background = new Set([
  'insertBatch',
  'insertFrames',
  'ping',
  'written',
  'keys.byHash',
  'keys.digests',
  'logs.exchange',
  'auditDay',
  'dropMonthsBefore',
])

/** Whether a call asks for figures; accounts, keys and jobs have a part of the store each. */
function isQuestion(name: string): boolean {
  return !background.has(name) && !name.includes('.') && !/site$/i.test(name)
}

type Method = (...args: unknown[]) => unknown

/**
 * The same store, with each call measured and, inside of a traced request, told as a span. MongoDB tells of its commands
 * itself (measureCommand); SQLite has nobody else to do so.
 */
export function observeStore(store: Store, measures: Pick<Measures, 'operations' | 'questions'>): Store {
  const system = store.engine === 'mongo' ? 'mongodb' : 'sqlite'

  function observed(name: string, method: Method): Method {
    return (...args) => {
      const startedAt = performance.now()
      const answer =
        isTraced() && !background.has(name)
          ? inSpan(`store ${name}`, { kind: SpanKind.CLIENT, attributes: attributesOf(name) }, async () =>
              method(...args),
            )
          : method(...args)
      if (!(answer instanceof Promise)) return answer
      const measure = (error: string) => {
        const seconds = (performance.now() - startedAt) / 1000
        if (system === 'sqlite') measures.operations.of(system, name, '', error).add(seconds)
        if (isQuestion(name)) measures.questions.add(seconds)
      }
      answer.then(
        () => measure(''),
        (error: unknown) => measure(errorType(error)),
      )
      return answer
    }
  }

  function attributesOf(name: string) {
    return { 'db.system.name': system, 'db.operation.name': name }
  }

  function observeAll<Part extends object>(part: Part, prefix: string): Part {
    const entries = Object.entries(part).map(([name, value]): [string, unknown] => {
      if (typeof value === 'function') return [name, observed(prefix + name, value as Method)]
      return [name, typeof value === 'object' && value !== null ? observeAll(value, `${name}.`) : value]
    })
    return Object.fromEntries(entries) as Part
  }

  return { ...observeAll(store, ''), close: () => store.close() }
}
