import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // Tests must not lean on the machine's own zone: run them where the day differs from UTC's for eight hours.
    env: { TZ: 'America/Los_Angeles' },
    restoreMocks: true,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          // A busy machine is no failure: what hangs is found all the same.
          testTimeout: 30_000,
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
          testTimeout: 60_000,
          hookTimeout: 90_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
