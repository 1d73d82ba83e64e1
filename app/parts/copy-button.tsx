import { useEffect, useState } from 'react'
import { useHydrated } from '../hydrated.ts'
import { Icon } from './icon.tsx'

/** Copies a text and confirms it for a moment. Renders nothing until JavaScript runs. */
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

/** The Clipboard API exists only on secure pages; over plain http (a local network) falls back to execCommand. */
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
