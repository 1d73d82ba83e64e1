/** A small badge with the first letter of the shop's name. */
export function SiteMark({ name }: { name: string }) {
  return (
    <span className="site-mark" aria-hidden="true">
      {[...name][0]?.toUpperCase()}
    </span>
  )
}
