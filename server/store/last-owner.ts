import { AppError } from '../errors.ts'

/**
 * Why the only owner is not removed, null where it may be: without one nobody may set up the shop, and only where nobody
 * is left at all the next sign-up is an owner.
 */
export function lastOwner(isAlone: boolean, evenLastOwner: boolean): AppError | null {
  if (isAlone && evenLastOwner) return null
  const advice = isAlone
    ? 'Remove it all the same with --even-last-owner.'
    : 'Make another account an owner first: npm run accounts -- make-owner EMAIL'
  return new AppError('conflict', `It is the only owner of this server. ${advice}`)
}
