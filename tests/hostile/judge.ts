import type { HostileCase } from './case.ts'
import { type Talk, talk } from './raw.ts'

/** Statuses that docs/storefronts.md and the API documents name. */
const documented = new Set([
  100, 200, 202, 204, 301, 302, 303, 304, 400, 401, 403, 404, 405, 408, 409, 413, 415, 417, 429, 431, 503,
])

/** What is wrong with the answer to a case; null where nothing is. */
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
  // A server that is busy may say so to anybody; without a key it need not look at what came, nor take as much.
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
