/** The shop's first letter as a small sign beside its name. */
export function SiteMark({ name }: { name: string }) {
  return (
    <span className="site-mark" aria-hidden="true">
      {[...name][0]?.toUpperCase()}
    </span>
  )
}
