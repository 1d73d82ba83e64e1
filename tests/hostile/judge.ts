import type { HostileCase } from './case.ts'
import { type Talk, talk } from './raw.ts'

/** Statuses documented in docs/storefronts.md and the API documents. */
const documented = new Set([
  100, 200, 202, 204, 301, 302, 303, 304, 400, 401, 403, 404, 405, 408, 409, 413, 415, 417, 429, 431, 503,
])

/** Describes what is wrong with the answer to a case; null if nothing is. */
export async function judge(port: number, hostile: HostileCase, keysRequired: boolean): Promise<string | null> {
  const wrong = faultOf(hostile, await talk(port, hostile.script, hostile), keysRequired)
  return wrong && `${hostile.name}: ${wrong}`
}

function faultOf(hostile: HostileCase, { answers, rest, ended }: Talk, keysRequired: boolean): string | null {
  const { may, mayClose = false, mayBePage = false, most = 1 } = hostile
  if (!ended) return 'the connection stays open'
  const [first] = answers
  if (rest !== '') return `this is no answer: ${JSON.stringify(rest.slice(0, 200))}`
  if (!first) return mayClose ? null : 'no answer'
  // A busy server may answer 429 or 503 to anybody. Without a key it need not read the body, or accept as large a one.
  const allowed = [...may, 429, 503, ...(keysRequired ? [401, 413] : [])]
  if (!allowed.includes(first.status)) return `${first.status}, not ${may.join(' or ')}: ${first.body.slice(0, 200)}`
  if (answers.length > most + (first.status === 100 ? 1 : 0)) return `${answers.length} answers`
  for (const { status, headers, body } of answers) {
    if (!documented.has(status)) return `${status} is not documented`
    if (/node_modules|\bat [^ ]+ \(?[\w/.:-]+:\d+:\d+|SyntaxError|ZodError/.test(body))
      return `tells what is inside: ${body.slice(0, 300)}`
    if ((status === 429 || status === 503) && !headers['retry-after'] && !mayBePage)
      return `${status} without Retry-After`
    if (status === 405 && !headers.allow && !mayBePage) return '405 without Allow'
    if (body === '' || mayBePage) continue
    if (!headers['content-type']?.startsWith('application/json'))
      return `${status} as ${headers['content-type']}: ${body.slice(0, 100)}`
    if (!isJson(body)) return `not JSON: ${body.slice(0, 200)}`
  }
  return null
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
