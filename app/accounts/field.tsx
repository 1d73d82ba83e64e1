import type { InputHTMLAttributes } from 'react'
import { useState } from 'react'
import { useHydrated } from '../hydrated.ts'
import { Icon } from '../parts/icon.tsx'

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  name: string
  label: string
  hint?: string
  error?: string | undefined
}

/** A labeled input. An error replaces the hint; screen readers announce whichever is shown along with the input. */
export function Field({ label, hint, error, ...input }: FieldProps) {
  return (
    <div className="field">
      <label htmlFor={input.name}>{label}</label>
      <input className="input" id={input.name} {...describedBy(input.name, hint, error)} {...input} />
      <Below name={input.name} hint={hint} error={error} />
    </div>
  )
}

export function PasswordField({ label, hint, error, ...input }: FieldProps) {
  const hydrated = useHydrated()
  const [shown, setShown] = useState(false)
  return (
    <div className="field">
      <label htmlFor={input.name}>{label}</label>
      <div className="in-wrap">
        <input
          className={hydrated ? 'input pr-11!' : 'input'}
          id={input.name}
          type={shown ? 'text' : 'password'}
          {...describedBy(input.name, hint, error)}
          {...input}
        />
        {hydrated && (
          <button
            type="button"
            className="btn quiet end h-8! w-8 px-0!"
            aria-label="Show password"
            aria-pressed={shown}
            onClick={() => setShown(!shown)}
          >
            <Icon name="eye" />
          </button>
        )}
      </div>
      <Below name={input.name} hint={hint} error={error} />
    </div>
  )
}

export function describedBy(name: string, hint: string | undefined, error: string | undefined) {
  return {
    'aria-invalid': error ? (true as const) : undefined,
    'aria-describedby': error || hint ? `${name}-below` : undefined,
  }
}

export function Below({ name, hint, error }: { name: string; hint?: string | undefined; error?: string | undefined }) {
  if (error)
    return (
      <p className="err" id={`${name}-below`} role="alert">
        <Icon name="warning" />
        <span>{error}</span>
      </p>
    )
  return hint ? (
    <p className="hint" id={`${name}-below`}>
      {hint}
    </p>
  ) : null
}

/** An error that concerns the form as a whole, not one field. */
export function FormError({ message }: { message: string | undefined }) {
  if (!message) return null
  return (
    <div className="banner bad" role="alert">
      <Icon name="warning" />
      <p className="text-text!">{message}</p>
    </div>
  )
}
