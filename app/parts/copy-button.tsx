import { useEffect, useState } from 'react'
import { useHydrated } from '../hydrated.ts'
import { Icon } from './icon.tsx'

/** Copies a text and says so for a moment; absent where it could not work. */
export function CopyButton({ text, name, className = 'btn' }: { text: string; name: string; className?: string }) {
  const hydrated = useHydrated()
  const [state, setState] = useState<'rest' | 'done' | 'failed'>('rest')
  useEffect(() => {
    if (state === 'rest') return
    const timer = setTimeout(() => setState('rest'), 2000)
    return () => clearTimeout(timer)
  }, [state])
  if (!hydrated) return null
  return (
    <button
      type="button"
      className={className}
      onClick={() => copy(text).then((done) => setState(done ? 'done' : 'failed'))}
    >
      <Icon name={state === 'done' ? 'check' : 'copy'} />
      <span aria-live="polite">{{ rest: name, done: 'Copied', failed: 'Select it to copy' }[state]}</span>
    </button>
  )
}

/** Browsers give the clipboard to secure pages only; http on a local network gets the older way. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const field = document.createElement('textarea')
    field.value = text
    document.body.append(field)
    field.select()
    const done = document.execCommand('copy')
    field.remove()
    return done
  }
}
