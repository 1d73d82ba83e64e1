import type { Mutation } from './mutation.ts'

/** Accepting requests, and their limits. */
export const doorMutations: readonly Mutation[] = [
  {
    name: 'what is small gets through beside large bodies',
    file: 'server/ingest/budget.ts',
    line: 'const room = bytes <= SMALL_BYTES ? maxBytes : maxBytes * LARGE_SHARE',
    broken: 'const room = maxBytes',
    test: 'server/ingest/budget.test.ts',
  },
  {
    name: 'what a request held is free when it is answered',
    file: 'server/ingest/budget.ts',
    line: '          held -= own\n          own = 0',
    broken: '          held -= own',
    test: 'server/ingest/budget.test.ts',
  },
  {
    name: 'few are let in at once',
    file: 'server/ingest/gate.ts',
    line: 'if (inside >= places) {',
    broken: 'if (inside > places) {',
    test: 'server/ingest/gate.test.ts',
  },
  {
    name: 'who left lets one in, and only one',
    file: 'server/ingest/gate.ts',
    line: 'if (left) return',
    broken: '',
    test: 'server/ingest/gate.test.ts',
  },
  {
    name: 'no more wait than may',
    file: 'server/ingest/gate.ts',
    line: 'if (waiting.size >= maxWaiting) {',
    broken: 'if (waiting.size > maxWaiting + 1000) {',
    test: 'server/ingest/gate.test.ts',
  },
  {
    name: 'a turn of the loop works for its share of time',
    file: 'server/ingest/slices.ts',
    line: 'while (usedMs < sliceMs) {',
    broken: 'while (usedMs >= 0) {',
    test: 'server/ingest/slices.test.ts',
  },
  {
    name: 'refusals by the hundred wait',
    file: 'server/ingest/refusals.ts',
    line: 'for (; left >= 1 && waiting.size > 0; left--)',
    broken: 'for (; waiting.size > 0; left--)',
    test: 'server/ingest/refusals.test.ts',
  },
  {
    name: 'memory for what waits for the disk is bounded',
    file: 'server/ingest/admission.ts',
    line: 'if (unsafeBytes + bytes > limits.memoryBytes)',
    broken: 'if (unsafeBytes < 0)',
    test: 'server/ingest/admission.test.ts',
  },
  {
    name: 'the last fifth of a disk is left',
    file: 'server/ingest/admission.ts',
    line: 'diskBytes = DISK_SHARE * (',
    broken: 'diskBytes = (',
    test: 'server/ingest/admission.test.ts',
  },
]
