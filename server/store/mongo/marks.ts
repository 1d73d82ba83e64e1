import type { Collections } from './collections.ts'

export async function mark({ marks }: Collections, name: string): Promise<string | null> {
  return (await marks.findOne({ _id: name }))?.value ?? null
}

/** null takes it away. */
export async function setMark({ marks }: Collections, name: string, value: string | null): Promise<void> {
  if (value === null) await marks.deleteOne({ _id: name })
  else await marks.updateOne({ _id: name }, { $set: { value } }, { upsert: true })
}
