/** Builds pages and server when build/ is missing or was made of other sources. */
export function buildIfStale(): Promise<void>
/** The files of the build itself, without those that stay of the one before; paths below build/. */
export function builtFiles(place?: string): string[]
/**
 * Puts the files of a new build in the place of another's, of which those that are called by their content stay. Tests
 * look at the place around each `rename`.
 */
export function putInPlace(next: string, place: string, rename?: (from: string, to: string) => void): void
