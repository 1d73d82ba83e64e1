import { ErrorPage } from '../errors/error-page.tsx'
import { useFrame } from './site.ts'

/** The error page inside the frame, whose navigation still works. */
export function FramedError() {
  const { site } = useFrame()
  return (
    <main className="page" id="main" tabIndex={-1}>
      <ErrorPage zone={site.timeZone} />
    </main>
  )
}
