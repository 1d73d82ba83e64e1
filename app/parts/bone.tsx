/** A gray placeholder bar for text or a picture that is loading. */
export function Bone({ width, height }: { width: string; height: number }) {
  return <span className="skeleton" style={{ width, height }} />
}
