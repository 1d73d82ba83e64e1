import { existsSync, mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium as playwright } from 'playwright-core'
import type { Need } from './needs.ts'

const path = process.env.CHROMIUM ?? '/usr/bin/chromium'

/** Debian's Chromium, or the one at the path CHROMIUM. */
export const chromium: Need = {
  path,
  missing: existsSync(path) ? null : `no Chromium at ${path}; install it or set CHROMIUM`,
}

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Timeout for starting the browser, loading a page or finding an element; generous, for busy machines. */
const TIMEOUT_MS = 90_000

export interface Browser {
  context: BrowserContext
  close(): Promise<void>
}

/** Starts headless Chromium with a new profile, which close() deletes. Options are those of a playwright context. */
export async function openBrowser(
  options: Parameters<typeof playwright.launchPersistentContext>[1] = {},
): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'veritas-chromium-'))
  const context = await playwright.launchPersistentContext(profile, {
    executablePath: path,
    headless: true,
    timeout: TIMEOUT_MS,
    args: flags,
    ...options,
  })
  context.setDefaultTimeout(TIMEOUT_MS)
  return {
    context,
    async close() {
      await context.close()
      // Chromium's helper processes may still be writing; maxRetries tries again if the folder is not empty.
      await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
    },
  }
}
