/** The part of Remix's manifest used here: each route's script. */
interface Manifest {
  routes: Record<string, { module: string } | undefined>
}

/**
 * Preloads the scripts of all pages when the browser is idle. If a page's script has to be loaded while the server is
 * down, Remix reloads the whole document, and the page shown would be lost.
 */
export function loadModules(): void {
  const { __remixManifest: manifest } = window as unknown as { __remixManifest?: Manifest }
  const modules = new Set(Object.values(manifest?.routes ?? {}).flatMap((route) => route?.module ?? []))
  // A script that fails to load here is loaded again when its page is opened.
  const load = () => void Promise.allSettled([...modules].map((module) => import(/* @vite-ignore */ module)))
  if ('requestIdleCallback' in window) requestIdleCallback(load)
  else setTimeout(load, 1000)
}
