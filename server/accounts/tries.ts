import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible'
import { AppError } from '../errors.ts'

const WINDOW_SECONDS = 15 * 60
const PER_PERSON = 5
const PER_ADDRESS = 50
const PER_EMAIL = 100

/** Wrong passwords are counted for 15 minutes: per email and address, per address, and per email from anywhere. */
export interface Tries {
  /** Takes one try. Throws AppError rate_limited when none is left; returns how many are left after it. */
  take(email: string, address: string): Promise<number>
  /** A right password gives the tries of this person back. */
  forgive(email: string, address: string): Promise<void>
}

export function createTries(): Tries {
  const person = new RateLimiterMemory({ points: PER_PERSON, duration: WINDOW_SECONDS })
  const addresses = new RateLimiterMemory({ points: PER_ADDRESS, duration: WINDOW_SECONDS })
  const emails = new RateLimiterMemory({ points: PER_EMAIL, duration: WINDOW_SECONDS })
  const personKey = (email: string, address: string) => `${email}\n${address}`

  async function consume(limiter: RateLimiterMemory, key: string): Promise<number> {
    try {
      return (await limiter.consume(key)).remainingPoints
    } catch (refused) {
      // The library rejects with its result when the points are used up.
      const retryAfterSeconds = Math.max(1, Math.ceil((refused as RateLimiterRes).msBeforeNext / 1000))
      const minutes = Math.ceil(retryAfterSeconds / 60)
      throw new AppError(
        'rate_limited',
        `Too many tries. Wait ${minutes} minute${minutes === 1 ? '' : 's'}, then try again.`,
        {
          retryAfterSeconds,
        },
      )
    }
  }

  return {
    async take(email, address) {
      await consume(addresses, address)
      const left = await consume(person, personKey(email, address))
      await consume(emails, email)
      return left
    },
    async forgive(email, address) {
      await person.delete(personKey(email, address))
      await addresses.reward(address)
      await emails.reward(email)
    },
  }
}
