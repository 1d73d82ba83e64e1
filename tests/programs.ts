import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where a program is: in one of these folders, else on the PATH, else where the last folder would have it. */
export function findProgram(name: string, folders: readonly (string | undefined)[], otherwise: string): string {
  const places = [...folders, ...(process.env.PATH ?? '').split(delimiter)]
  const paths = places.flatMap((folder) => (folder ? [join(folder, name)] : []))
  return paths.find((path) => existsSync(path)) ?? join(otherwise, name)
}

/** Programs for tests that stand beside the project's folder, if somebody put them there. */
export const sharedPrograms = fileURLToPath(new URL('../../shared/bin', import.meta.url))
