const STEPS = 10

interface Output {
  isTTY?: boolean
  write(text: string): unknown
}

/** Tells how far a long job is: in place on a terminal, a plain line every tenth elsewhere. */
export function createProgress(
  title: string,
  unit: string,
  output: Output = process.stdout,
): (done: number, total: number) => void {
  let told = 0
  const number = new Intl.NumberFormat('en')
  return (done, total) => {
    const text = `${title}: ${number.format(done)} of ${number.format(total)} ${unit}`
    if (output.isTTY) {
      output.write(`\r\x1b[K${text}${done >= total ? '\n' : ''}`)
      return
    }
    const reached = Math.floor((done / total) * STEPS)
    if (reached <= told) return
    told = reached
    output.write(`${text}\n`)
  }
}
