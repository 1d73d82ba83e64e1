import { z } from 'zod'

export const FORMAT = 'veritas-export/1'

const file = z.object({
  name: z.string(),
  bytes: z.number().int(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})

/** Written last: where it is, the files it names are whole and are what it says (docs/exports.md). */
const manifest = z.object({
  format: z.literal(FORMAT),
  site: z.string(),
  day: z.iso.date(),
  timeZone: z.string(),
  /** The day's first instant and the first after it. */
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  /** Lines in the file of events, and events in the figures. */
  events: z.number().int(),
  /** Everything that was accepted up to this moment is in it. */
  completeTo: z.iso.datetime(),
  exportedAt: z.iso.datetime(),
  /** Of the figures without what surrounds them; tells whether they have changed since. */
  figuresSha256: z.string(),
  files: z.array(file),
})
export type Manifest = z.infer<typeof manifest>
export type ExportedFile = Manifest['files'][number]

/** null for what is no manifest of this format. */
export function parseManifest(text: string): Manifest | null {
  try {
    return manifest.safeParse(JSON.parse(text)).data ?? null
  } catch {
    return null
  }
}
