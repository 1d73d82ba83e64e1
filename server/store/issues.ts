import { eventLimits, type PayloadIssue } from '../../trpc/schema/event.ts'

const MAX_TEXT = 300

/**
 * The issues of an event as JSON of a few KB at most: those from another store or an older log may be any number.
 * Null for an event without any.
 */
export function issuesJson(issues: readonly PayloadIssue[] | null): string | null {
  if (issues === null) return null
  const kept = issues.slice(0, eventLimits.issues + 1)
  const [last] = kept.slice(eventLimits.issues)
  // The last of them may say already how many there are beside it.
  if (last && issues.length > kept.length)
    kept[eventLimits.issues] = { path: 'payload', message: `and ${issues.length - eventLimits.issues} more` }
  return JSON.stringify(kept.map(({ path, message }) => ({ path: cut(path), message: cut(message) })))
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1).toWellFormed()}…`
}
