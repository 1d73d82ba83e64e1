import type { z } from 'zod'

/** What a validation found wrong with one place of an input; zod's shape. */
type Issue = z.core.$ZodIssue

const kinds: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}

/**
 * What is expected of the field of an issue, to stand behind its name: "must be a text". What a schema says in words of
 * its own stays; the rest is zod's, which is written for programmers.
 */
export function expectation(issue: Issue): string {
  if (!/^(Invalid (input|option): expected|Too (small|big): expected)/.test(issue.message)) return issue.message
  switch (issue.code) {
    case 'invalid_type': {
      const isMissing = issue.message.endsWith('received undefined')
      const kind = kinds[issue.expected] ?? `of the kind ${issue.expected}`
      return isMissing ? `missing, must be ${kind}` : `must be ${kind}`
    }
    case 'invalid_value':
      return `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`
    case 'too_small':
      return `must ${amount(issue.origin, 'at least', issue.minimum)}`
    case 'too_big':
      return `must ${amount(issue.origin, 'at most', issue.maximum)}`
    default:
      return issue.message
  }
}

function amount(origin: string, bound: string, limit: number | bigint): string {
  if (origin === 'string') return `have ${bound} ${limit} ${limit === 1 ? 'character' : 'characters'}`
  if (origin === 'array') return `have ${bound} ${limit} ${limit === 1 ? 'entry' : 'entries'}`
  return `be ${bound} ${limit}`
}

/** All that is wrong with an input, as one line that names each field. */
export function issuesText({ issues }: { issues: readonly Issue[] }): string {
  return issues.map((issue) => `${issue.path.join('.') || 'The input'}: ${expectation(issue)}`).join('; ')
}
