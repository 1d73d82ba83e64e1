import { existsSync } from 'node:fs'
import type { Need } from '../needs.ts'
import { findProgram } from '../programs.ts'

function need(name: string): Need {
  const path = findProgram(name, ['/usr/sbin'], '/usr/bin')
  return { path, missing: existsSync(path) ? null : `no ${name} at ${path}; install the package ${name}` }
}

/** Debian has it in /usr/sbin, which is not on everybody's PATH. */
export const nginx = need('nginx')
export const shellcheck = need('shellcheck')
export const curl = need('curl')
