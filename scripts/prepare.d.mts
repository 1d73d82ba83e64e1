/** Builds pages and server if build/ is missing or out of date. */
export function buildIfStale(): Promise<void>
/** Paths of the current build's files (below build/), without those kept from the previous build. */
export function builtFiles(place?: string): string[]
/**
 * Moves a new build into place with one rename per file; files of the previous build stay. Tests check the folder
 * around each `rename`.
 */
export function putInPlace(next: string, place: string, rename?: (from: string, to: string) => void): void
