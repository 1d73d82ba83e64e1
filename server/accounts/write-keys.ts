import type { KeyStore, WriteKey } from '../store/store.ts'
import { createListedToken, hashToken } from './tokens.ts'

/** Makes a write key and returns its text, of which the store keeps only the digest: that by which the door looks it up. */
export async function createWriteKey(store: Pick<KeyStore, 'create'>, key: WriteKey): Promise<string> {
  const text = createListedToken(`${key.kind}_`)
  await store.create({ ...key, keyHash: hashToken(text) })
  return text
}
