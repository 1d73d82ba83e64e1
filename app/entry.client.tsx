import { RemixBrowser } from '@remix-run/react'
import { StrictMode, startTransition } from 'react'
import { hydrateRoot } from 'react-dom/client'
import { loadModules } from './freshness/modules.ts'
import { readDataWhole } from './freshness/whole-answers.ts'

readDataWhole()

startTransition(() => {
  hydrateRoot(
    document,
    <StrictMode>
      <RemixBrowser />
    </StrictMode>,
  )
})

if (document.readyState === 'complete') loadModules()
else window.addEventListener('load', loadModules, { once: true })
