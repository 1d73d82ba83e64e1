import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/** What loads a machine by itself, or is about how it does under load: one such file at a time, and nothing beside it. */
const alone = [
  'tests/faults/faults.test.ts',
  'tests/hostile/hostile.test.ts',
  'tests/load.test.ts',
  'tests/mongo/faults.test.ts',
  'tests/openapi.test.ts',
  'tests/release/deploy.test.ts',
]

export default defineConfig({
  test: {
    // Tests must not lean on the machine's own zone: run them where the day differs from UTC's for eight hours.
    env: { TZ: 'America/Los_Angeles' },
    restoreMocks: true,
    expect: { poll: { timeout: 60_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          // A busy machine is no failure: what hangs is found all the same.
          testTimeout: 120_000,
          hookTimeout: 120_000,
          include: ['{app,infra,server,trpc,scripts}/**/*.test.{ts,tsx}'],
          maxWorkers: Math.max(2, availableParallelism() - 1),
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['tests/**/*.test.ts'],
          exclude: alone,
          // Each starts a server and perhaps a browser, and waits for it more than it works.
          maxWorkers: 2,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: alone,
          maxWorkers: 1,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
