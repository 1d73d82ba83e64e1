/** What Remix tells the browser of each route. */
interface Manifest {
  routes: Record<string, { module: string } | undefined>
}

/**
 * Loads the scripts of all pages once there is time. A page whose script is missing when it is asked for, since the
 * server is just not there, would cost the page that is shown: Remix loads the whole document anew for it.
 */
export function loadModules(): void {
  const { __remixManifest: manifest } = window as unknown as { __remixManifest?: Manifest }
  const modules = new Set(Object.values(manifest?.routes ?? {}).flatMap((route) => route?.module ?? []))
  // Whatever fails is loaded when it is needed, as it was before.
  const load = () => void Promise.allSettled([...modules].map((module) => import(/* @vite-ignore */ module)))
  if ('requestIdleCallback' in window) requestIdleCallback(load)
  else setTimeout(load, 1000)
}
