/** A small line chart without axes. Both series share both scales; y starts at zero. Null values leave a gap. */
export function Sparkline({ values, before }: { values: (number | null)[]; before?: (number | null)[] | undefined }) {
  const top = Math.max(0, ...values.map(Number), ...(before ?? []).map(Number)) || 1
  if (values.length < 2) return <svg className="spark" viewBox="0 0 100 100" aria-hidden="true" />
  return (
    <svg className="spark" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
      {before && <path className="before" d={pathOf(before.slice(0, values.length), top, values.length)} />}
      <path d={pathOf(values, top, values.length)} />
    </svg>
  )
}

function pathOf(values: (number | null)[], top: number, count: number): string {
  const step = 100 / Math.max(1, count - 1)
  let drawing = false
  // A single point becomes a zero-length line, whose round caps show as a dot.
  let path = ''
  values.forEach((value, index) => {
    if (value === null) {
      drawing = false
      return
    }
    path += `${drawing ? 'L' : 'M'}${round(index * step)} ${round(100 - (value / top) * 94)}${drawing ? '' : 'h0'}`
    drawing = true
  })
  return path
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
