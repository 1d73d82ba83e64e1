/** A bar of the size of a text or a picture that is on its way. */
export function Bone({ width, height }: { width: string; height: number }) {
  return <span className="skeleton" style={{ width, height }} />
}
