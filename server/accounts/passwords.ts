import { hash, verify } from '@node-rs/argon2'

/** OWASP's argon2id floor (19 MiB, two passes): about 20 ms on one core. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** What an unknown email is checked against, so that it takes as long as a known one. */
let nobody: Promise<string> | null = null

export function hashPassword(password: string): Promise<string> {
  return hash(password, cost)
}

/** False for a wrong password and, after the same time, for no account at all (null). */
export async function passwordMatches(passwordHash: string | null, password: string): Promise<boolean> {
  if (passwordHash !== null) return verify(passwordHash, password)
  nobody ??= hashPassword('nobody has this password')
  await verify(await nobody, password)
  return false
}
