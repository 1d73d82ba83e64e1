import { vitePlugin as remix } from '@remix-run/dev'
import tailwindcss from '@tailwindcss/vite'
import { defineConfig } from 'vite'

declare module '@remix-run/node' {
  interface Future {
    v3_singleFetch: true
  }
}

export default defineConfig({
  plugins: [
    tailwindcss(),
    remix({
      // npm run build makes it aside, so that a server which runs from here goes on (scripts/prepare.mjs).
      buildDirectory: process.env.VERITAS_BUILD_DIR ?? 'build/app',
      ignoredRouteFiles: ['**/*.test.{ts,tsx}'],
      future: {
        v3_fetcherPersist: true,
        v3_relativeSplatPath: true,
        v3_throwAbortReason: true,
        v3_singleFetch: true,
        v3_lazyRouteDiscovery: false,
      },
    }),
  ],
  // Of its 1,700 icons the few that pages show become part of the build.
  ssr: { noExternal: ['lucide-react'] },
  build: {
    target: 'es2022',
    // The content security policy takes no data: scripts or fonts, and small files are cached as well as large ones.
    assetsInlineLimit: 0,
  },
})
