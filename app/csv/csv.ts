/** Text, a number, or decimal digits as text ("-1234.50") for amounts that a JavaScript number cannot hold exactly. */
type Cell = string | number | { digits: string }

/** One line of a CSV file (RFC 4180), including the line ending. */
export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`
}

/** Leading spaces and invisible characters, which spreadsheets skip when they check whether a cell is a formula. */
const unseen = /^[\p{Z}\p{C}\u115f\u1160\u2800\u3164]+/u
const plainNumber = /^-?\d+(\.\d+)?$/

/**
 * Prefixes text that a spreadsheet would run as a formula with an apostrophe: anybody on the internet can choose a user
 * id. NFKC also covers the full-width and small forms of =, + and @ that East Asian spreadsheets accept.
 */
function csvCell(cell: Cell): string {
  if (typeof cell === 'number') return String(cell)
  if (typeof cell === 'object' && plainNumber.test(cell.digits)) return cell.digits
  const text = typeof cell === 'object' ? cell.digits : cell
  const begins = text.replace(unseen, '').slice(0, 1).normalize('NFKC')
  const safe = /^[\t\r\n]/.test(text) || /^[=+\-@\u2212]/.test(begins) ? `'${text}` : text
  // Quoted as well: in some locales spreadsheets use semicolons or tabs as separators.
  return /[",;\t\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** A 400 response that explains as plain text why an address has no file. */
export function refusedFile(why: string): Response {
  return new Response(`${why}\n`, {
    status: 400,
    headers: { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'private, no-store' },
  })
}

/** A UTF-8 CSV download. A string gets a byte order mark, which Excel needs; csvStream adds its own. */
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
 * Streams CSV lines as bytes, pulling lines only as fast as the client reads and no more after it disconnects. `onEnd`
 * is called exactly once: at the end, on an error, or when the client disconnects, even if no line was read.
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
