import { ErrorPage } from '../errors/error-page.tsx'
import { useFrame } from './site.ts'

/** A page's failure, with the frame around it still working. */
export function FramedError() {
  const { site } = useFrame()
  return (
    <main className="page" id="main" tabIndex={-1}>
      <ErrorPage zone={site.timeZone} />
    </main>
  )
}
