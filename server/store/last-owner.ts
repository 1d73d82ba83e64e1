import { AppError } from '../errors.ts'

/** Why an account is not removed: without an owner nobody may set up the shop. */
export function lastOwner(): AppError {
  return new AppError('conflict', 'It is the only owner of this server.')
}
