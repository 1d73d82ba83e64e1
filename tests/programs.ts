import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Path of a program: in one of these folders or on the PATH, or else the path `otherwise`. */
export function findProgram(name: string, folders: readonly (string | undefined)[], otherwise: string): string {
  const places = [...folders, ...(process.env.PATH ?? '').split(delimiter)]
  const paths = places.flatMap((folder) => (folder ? [join(folder, name)] : []))
  return paths.find((path) => existsSync(path)) ?? join(otherwise, name)
}

/** Optional folder of programs for tests, beside the checkout's folder. */
export const sharedPrograms = fileURLToPath(new URL('../../shared/bin', import.meta.url))
