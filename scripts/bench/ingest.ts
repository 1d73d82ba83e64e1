import { doorSection } from './door-section.ts'
import type { Finding, Section, SectionOptions } from './finding.ts'
import { freshSection } from './fresh-section.ts'
import { largestSection } from './largest-section.ts'
import { machine, printTable } from './machine.ts'
import { overloadSection } from './overload-section.ts'
import { pacedSection } from './paced-section.ts'
import { restartSection } from './restart-section.ts'
import { soakSection } from './soak-section.ts'
import { sustainSection } from './sustain-section.ts'

/** Each section measures the listed targets on servers of its own. */
const sections: Record<string, { targets: string[]; measure: (options: SectionOptions) => Promise<Section> }> = {
  door: { targets: ['P1', 'P2', 'P3', 'P4'], measure: doorSection },
  paced: { targets: ['P5'], measure: pacedSection },
  sustained: { targets: ['P6'], measure: sustainSection },
  overload: { targets: ['P7'], measure: overloadSection },
  largest: { targets: ['P8'], measure: largestSection },
  fresh: { targets: ['P9'], measure: freshSection },
  soak: { targets: ['P10'], measure: soakSection },
  restart: { targets: ['P11'], measure: restartSection },
}

export const ingestTargets: readonly string[] = Object.values(sections).flatMap(({ targets }) => targets)

/** The results of the sections by name. Throws if a section's figures cannot be trusted, as when events are lost. */
export async function benchIngest({ only, ...options }: SectionOptions & { only: string[] | undefined }) {
  const results: Record<string, object> = {}
  const findings: Finding[] = []
  for (const [name, { targets, measure }] of Object.entries(sections)) {
    if (only && !targets.some((target) => only.includes(target))) continue
    const result = await measure(options)
    results[name] = { measuredAt: new Date().toISOString(), machine: machine(), ...result }
    findings.push(...result.findings)
  }
  console.log('')
  printTable(
    ['target', 'what', 'measured', 'goal', ''],
    findings.map(({ target, what, measured, goal, met }) => [
      target,
      what,
      measured,
      goal,
      met === null ? '' : met ? 'met' : 'missed',
    ]),
  )
  return results
}
