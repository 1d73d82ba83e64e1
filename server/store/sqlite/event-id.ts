import { Buffer } from 'node:buffer'

const CANONICAL_UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Most ids are UUIDs: 16 bytes instead of 36. Any other spelling stays a text, so that every id comes back as sent. */
export function encodeEventId(id: string): string | Uint8Array {
  return id.length === 36 && CANONICAL_UUID.test(id) ? Buffer.from(id.replaceAll('-', ''), 'hex') : id
}

export function decodeEventId(stored: string | Uint8Array): string {
  if (typeof stored === 'string') return stored
  const hex = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
