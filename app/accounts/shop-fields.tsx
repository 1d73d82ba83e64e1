import { useEffect, useState } from 'react'
import { Below, describedBy, Field } from './field.tsx'
import { zoneName } from './zone-names.ts'

interface Choice {
  value: string
  label: string
}

/** Name, time zone and main currency of the shop, set when the first account is created. */
export function ShopFields({
  zones,
  currencies,
  serverZone,
  fixedZone,
  errors,
  values,
}: {
  zones: Choice[]
  currencies: { common: Choice[]; others: Choice[] } | null
  serverZone: string
  /** Set if events are already counted by the days of this zone, so it can no longer change; null otherwise. */
  fixedZone: string | null
  errors: Record<string, string>
  values: Record<string, string>
}) {
  const [zone, setZone] = useState(values.timeZone ?? serverZone)
  const [chosen, setChosen] = useState(values.timeZone !== undefined)
  useEffect(() => {
    // Until a zone is chosen, default to the browser's: it is a better guess than the server's.
    const own = zoneName(Intl.DateTimeFormat().resolvedOptions().timeZone)
    if (!chosen && zones.some(({ value }) => value === own)) setZone(own)
  }, [chosen, zones])
  return (
    <>
      <Field
        name="siteName"
        label="Shop name"
        autoComplete="organization"
        defaultValue={values.siteName}
        error={errors.siteName}
        required
      />
      <div className="grid gap-x-4 gap-y-5 sm:grid-cols-2">
        {fixedZone !== null ? (
          <Field
            name="timeZone"
            label="Time zone"
            value={fixedZone}
            readOnly
            hint={`Events came already and are counted by the days of ${fixedZone}, so it stays.`}
            error={errors.timeZone}
          />
        ) : (
          <div className="field">
            <label htmlFor="timeZone">Time zone</label>
            <select
              className="input"
              id="timeZone"
              name="timeZone"
              value={zone}
              onChange={(event) => {
                setChosen(true)
                setZone(event.target.value)
              }}
              {...describedBy('timeZone', zoneHint, errors.timeZone)}
            >
              {zones.map(({ value, label }) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </select>
            <Below name="timeZone" hint={zoneHint} error={errors.timeZone} />
          </div>
        )}
        <div className="field">
          <label htmlFor="currency">Main currency</label>
          <select
            className="input"
            id="currency"
            name="currency"
            defaultValue={values.currency ?? 'EUR'}
            {...describedBy('currency', currencyHint, errors.currency)}
          >
            <optgroup label="Common">{currencies?.common.map(option)}</optgroup>
            <optgroup label="All others">{currencies?.others.map(option)}</optgroup>
          </select>
          <Below name="currency" hint={currencyHint} error={errors.currency} />
        </div>
      </div>
    </>
  )
}

const zoneHint = 'Days begin here. Fixed once the shop is counted by them.'
const currencyHint = 'Shown first; others stay apart.'

function option({ value, label }: Choice) {
  return (
    <option key={value} value={value}>
      {label}
    </option>
  )
}
