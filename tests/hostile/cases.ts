import { addressCases } from './address-cases.ts'
import type { HostileCase } from './case.ts'
import { encodingCases } from './encoding-cases.ts'
import { framingCases } from './framing-cases.ts'
import { jsonCases } from './json-cases.ts'

/** All cases. Slow ones come first, since cases run side by side. */
export const hostileCases: readonly HostileCase[] = [...framingCases, ...jsonCases, ...encodingCases, ...addressCases]
