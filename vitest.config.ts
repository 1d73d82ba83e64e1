import { defineConfig } from 'vitest/config'

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
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['tests/**/*.test.ts'],
          // Each starts a server and perhaps a browser: one file at a time keeps their timing honest.
          maxWorkers: 1,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
