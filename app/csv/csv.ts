/** A text, a number, or a number too exact for one, by its digits: "-1234.50". */
type Cell = string | number | { digits: string }

/** One line of a CSV file after RFC 4180, with its line end. */
export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`
}

/** Blanks and characters that are not seen, which a spreadsheet passes over before it looks for a formula. */
const unseen = /^[\p{Z}\p{C}\u115f\u1160\u2800\u3164]+/u
const plainNumber = /^-?\d+(\.\d+)?$/

/**
 * Texts that a spreadsheet would run as a formula get an apostrophe in front: user ids are what anybody on the
 * internet chose to send. The signs of a formula have wide and small forms, which spreadsheets of East Asia take, too.
 */
function csvCell(cell: Cell): string {
  if (typeof cell === 'number') return String(cell)
  if (typeof cell === 'object' && plainNumber.test(cell.digits)) return cell.digits
  const text = typeof cell === 'object' ? cell.digits : cell
  const begins = text.replace(unseen, '').slice(0, 1).normalize('NFKC')
  const safe = /^[\t\r\n]/.test(text) || /^[=+\-@\u2212]/.test(begins) ? `'${text}` : text
  // Semicolons and tabs part the cells where a spreadsheet is set to other countries.
  return /[",;\t\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** Why there is no file for what an address asks, in words. */
export function refusedFile(why: string): Response {
  return new Response(`${why}\n`, {
    status: 400,
    headers: { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'private, no-store' },
  })
}

/** A file to download, in UTF-8 with the mark that makes Excel read it as such. */
export function csvResponse(body: string | ReadableStream<Uint8Array>, name: string): Response {
  return new Response(typeof body === 'string' ? `\ufeff${body}` : body, {
    headers: {
      'Content-Type': 'text/csv; charset=utf-8',
      'Content-Disposition': `attachment; filename="${name}"`,
      'Cache-Control': 'private, no-store',
      'X-Content-Type-Options': 'nosniff',
    },
  })
}

/**
 * Lines as a stream of bytes, asked for only as fast as they are read and never again once the reader has left. `onEnd`
 * is called then, too: once, whether or not any line was asked for.
 */
export function csvStream(
  lines: AsyncGenerator<string>,
  onEnd = async (): Promise<void> => {},
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let isOver = false
  const end = async () => {
    if (isOver) return
    isOver = true
    await onEnd()
  }
  return new ReadableStream({
    start(controller) {
      controller.enqueue(encoder.encode('\ufeff'))
    },
    async pull(controller) {
      try {
        const { done, value } = await lines.next()
        if (!done) return controller.enqueue(encoder.encode(value))
        controller.close()
      } catch (error) {
        controller.error(error)
      }
      await end()
    },
    async cancel() {
      await lines.return(undefined)
      await end()
    },
  })
}
