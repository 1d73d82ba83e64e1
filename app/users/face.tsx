const circle = 'M0 12a12 12 0 1 0 24 0a12 12 0 1 0-24 0'
const colours = ['--c1', '--c2', '--c3', '--c4', '--c5', '--c6']

/** A small picture generated from the id, always the same for the same id, to recognize a user. */
export function Face({ userId, className = '' }: { userId: string; className?: string }) {
  const hash = hashOf(userId)
  const at = (shift: number, range: number) => (hash >>> shift) % range
  const main = at(0, colours.length)
  const other = (main + 1 + at(4, colours.length - 1)) % colours.length
  return (
    <svg className={`face ${className}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={circle} style={{ fill: `var(${colours[main]})` }} opacity="0.28" />
      <circle cx={6 + at(8, 8)} cy={16 + at(12, 4)} r={8 + at(16, 4)} style={{ fill: `var(${colours[main]})` }} />
      <circle
        cx={14 + at(20, 6)}
        cy={6 + at(24, 6)}
        r={4 + at(28, 3)}
        style={{ fill: `var(${colours[other]})` }}
        opacity="0.85"
      />
    </svg>
  )
}

/** FNV-1a hash (32 bits) over the UTF-16 code units. */
function hashOf(text: string): number {
  let hash = 2_166_136_261
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 16_777_619)
  return hash >>> 0
}
