import { forwardRef, useEffect, useState } from 'react'
import { Icon } from '../parts/icon.tsx'
import { chooseSingleKeys, singleKeysWork } from './shortcuts.ts'

const keys = [
  { keys: ['Ctrl K', '/'], does: 'Search or jump to' },
  { keys: ['g d'], does: 'Dashboard' },
  { keys: ['g u'], does: 'Users' },
  { keys: ['[', ']'], does: 'Period back, forward' },
  { keys: ['c'], does: 'Comparison on, off' },
  { keys: ['j', 'k'], does: 'Next, previous row' },
  { keys: ['Enter'], does: 'Open the row' },
  { keys: ['←', '→'], does: 'Along a chart that has the focus' },
  { keys: ['?'], does: 'This list' },
  { keys: ['Esc'], does: 'Close' },
]

export const ShortcutsDialog = forwardRef<HTMLDialogElement>(function ShortcutsDialog(_props, ref) {
  const [work, setWork] = useState(true)
  useEffect(() => setWork(singleKeysWork()), [])
  return (
    <dialog ref={ref} aria-labelledby="shortcuts-title" className="p-5">
      <form method="dialog" className="flex items-center justify-between">
        <h2 id="shortcuts-title">Keyboard shortcuts</h2>
        <button type="submit" className="btn quiet small" aria-label="Close">
          <Icon name="cross" />
        </button>
      </form>
      <dl className="mt-2 grid grid-cols-[max-content_1fr] gap-x-6 gap-y-2">
        {keys.map((row) => (
          <div key={row.does} className="contents">
            <dt className="flex gap-1.5">
              {row.keys.map((key) => (
                <kbd key={key} className="keycap">
                  {key}
                </kbd>
              ))}
            </dt>
            <dd className="text-text-2">{row.does}</dd>
          </div>
        ))}
      </dl>
      <label className="check mt-4">
        <input
          type="checkbox"
          checked={work}
          onChange={(event) => {
            chooseSingleKeys(event.target.checked)
            setWork(event.target.checked)
          }}
        />
        Single keys, all of these but Ctrl K
      </label>
    </dialog>
  )
})
