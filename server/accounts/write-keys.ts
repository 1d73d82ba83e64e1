import type { KeyStore, WriteKey } from '../store/store.ts'
import { createToken, hashToken } from './tokens.ts'

/** Makes a write key and returns its text, of which the store keeps only the digest: that by which the door looks it up. */
export async function createWriteKey(store: Pick<KeyStore, 'create'>, key: WriteKey): Promise<string> {
  const text = createToken(`${key.kind}_`)
  await store.create({ ...key, keyHash: hashToken(text) })
  return text
}
