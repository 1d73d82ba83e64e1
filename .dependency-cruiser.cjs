/**
 * Which room may import from which (docs/decisions/004-rooms-and-arrows.md). Tests may reach into every room.
 */
const test = [
  '\\.test\\.tsx?$',
  // What the tests of every engine share, and the worker thread they run from source.
  '^server/store/(compare-answers|conformance|property|random-shop|sample-events)',
  '^server/jobs/manual-clock\\.ts$',
  '^server/ingest/large-thread-from-source\\.mjs$',
  '^server/store/sqlite/(test-folder\\.ts|worker-from-source\\.mjs)$',
]
const room = (name, from, may, more = {}) => ({
  name,
  severity: 'error',
  from: { path: from, pathNot: test },
  to: { path: '^(app|infra|scripts|server|tests|tracker|trpc)/', pathNot: may, ...more },
})

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    // The build is not there yet when a clean clone is checked.
    {
      name: 'everything-is-found',
      severity: 'error',
      from: {},
      // k6 brings its own modules, and SST those of its platform.
      to: { couldNotResolve: true, pathNot: 'build/server/index\\.js$|^k6/|\\.sst/platform/' },
    },
    {
      name: 'nobody-imports-tests-or-scripts',
      severity: 'error',
      from: { pathNot: '^(tests|scripts)/' },
      to: { path: '^(tests|scripts)/' },
    },
    {
      name: 'no-development-packages-where-it-runs',
      severity: 'error',
      from: { path: '^(app|server|trpc)/', pathNot: test },
      // Vite is loaded only by npm run dev; the icons that pages show are part of the build.
      to: {
        dependencyTypes: ['npm-dev'],
        dependencyTypesNot: ['type-only'],
        pathNot: 'node_modules/(vite|lucide-react)/',
      },
    },

    room('app-imports-only-trpc', '^app/', ['^app/', '^trpc/schema/', '^trpc/client\\.ts$', '^trpc/router\\.ts$']),
    {
      name: 'app-takes-only-types-of-the-router',
      severity: 'error',
      from: { path: '^app/', pathNot: test },
      to: { path: '^trpc/router\\.ts$', dependencyTypesNot: ['type-only'] },
    },

    room('schema-is-a-leaf', '^trpc/schema/', ['^trpc/schema/']),
    {
      name: 'schema-needs-only-zod',
      severity: 'error',
      from: { path: '^trpc/schema/', pathNot: test },
      to: { dependencyTypes: ['npm', 'npm-dev', 'core'], pathNot: 'node_modules/zod/' },
    },
    room('trpc-is-below-the-server', '^trpc/', [
      '^trpc/',
      '^server/errors\\.ts$',
      '^server/telemetry/tracing\\.ts$',
      '^server/analysis/',
      // Types alone: all arrive in the context.
      '^server/store/(store|fixed-lists|changes)\\.ts$',
      '^server/accounts/accounts\\.ts$',
      '^server/telemetry/system\\.ts$',
    ]),
    {
      name: 'trpc-takes-only-types-of-what-the-context-brings',
      severity: 'error',
      from: { path: '^trpc/', pathNot: test },
      to: { path: '^server/(store/|accounts/|telemetry/system\\.ts)', dependencyTypesNot: ['type-only'] },
    },

    room('sst-config-is-thin', '^sst\\.config\\.ts$', ['^infra/']),
    // Functions over Pulumi, and the names of metrics for alarms.
    room('infra-knows-only-the-names-of-metrics', '^infra/', ['^infra/', '^server/telemetry/metrics/names\\.ts$']),
    room('names-of-metrics-are-a-leaf', '^server/telemetry/metrics/names\\.ts$', []),
    {
      name: 'nobody-that-runs-imports-infra',
      severity: 'error',
      from: { pathNot: ['^(infra|scripts|tests)/', '^sst\\.config\\.ts$'] },
      to: { path: '^infra/' },
    },

    room(
      'errors-and-what-is-printed-are-leaves',
      '^server/(errors|turns|give-back|telemetry/printable|start/mistyped-settings)\\.ts$',
      [],
    ),
    room('folders-are-almost-a-leaf', '^server/start/folders\\.ts$', ['^server/errors\\.ts$']),
    room('telemetry-is-almost-a-leaf', '^server/telemetry/telemetry\\.ts$', [
      '^server/telemetry/metrics/measures\\.ts$',
      '^server/telemetry/(redaction|printable)\\.ts$',
    ]),
    room('what-is-measured-is-a-leaf', '^server/telemetry/(redaction|metrics/(names|histogram|measures))\\.ts$', [
      '^server/telemetry/metrics/(names|histogram)\\.ts$',
    ]),
    room('metrics-read-the-parts', '^server/telemetry/(metrics/|tracing)', [
      '^server/telemetry/',
      '^server/errors\\.ts$',
      '^trpc/schema/',
      // Types alone: the parts arrive when metrics are started.
      '^server/ingest/(admission|wal/wal)\\.ts$',
      '^server/writer/(dead-letters|proofs)\\.ts$',
      '^server/store/(store|mongo/commands)\\.ts$',
    ]),
    room('config-is-almost-a-leaf', '^server/config\\.ts$', [
      '^server/(errors|start/mistyped-settings)\\.ts$',
      '^server/analysis/zones\\.ts$',
      '^trpc/schema/currencies\\.ts$',
    ]),
    room('ingest-does-not-know-the-store', '^server/ingest/', [
      '^server/ingest/',
      '^trpc/schema/',
      '^server/(errors|turns|give-back|telemetry/telemetry)\\.ts$',
      // The shape of an event, nothing that runs a query.
      '^server/store/store\\.ts$',
      // Which months are kept: a calendar, no store.
      '^server/analysis/months\\.ts$',
    ]),
    room('writer-connects-log-and-store', '^server/writer/', [
      '^server/writer/',
      '^server/ingest/(wal/|frame\\.ts$)',
      '^server/store/(store|frame-outcome)\\.ts$',
      '^trpc/schema/',
      '^server/(errors|turns|give-back|telemetry/telemetry)\\.ts$',
    ]),
    room('store-is-below-everything-that-runs', '^server/store/(?!sqlite/worker\\.ts$)', [
      '^server/store/',
      '^server/analysis/',
      '^trpc/schema/',
      '^server/(errors|turns|give-back|telemetry/telemetry)\\.ts$',
    ]),
    // The thread that writes is a program of its own, and reads requests so that the one that answers them need not.
    room('the-writing-thread-reads-frames', '^server/store/sqlite/worker\\.ts$', [
      '^server/store/',
      '^server/ingest/frame\\.ts$',
      '^server/errors\\.ts$',
    ]),
    room('analysis-is-pure', '^server/analysis/', [
      '^server/analysis/',
      '^trpc/schema/',
      '^server/errors\\.ts$',
      '^server/store/store\\.ts$',
    ]),
    room('accounts-know-the-store-interface', '^server/accounts/', [
      '^server/accounts/',
      '^server/analysis/',
      '^server/store/store\\.ts$',
      '^trpc/schema/',
      '^server/(errors|telemetry/telemetry)\\.ts$',
      '^server/start/secret-file\\.ts$',
    ]),
    room('jobs-know-the-store-interface', '^server/jobs/(?!nightly\\.ts$)', [
      '^server/jobs/',
      '^server/analysis/',
      '^server/store/store\\.ts$',
      '^trpc/schema/',
      '^server/(errors|telemetry/telemetry)\\.ts$',
    ]),
    room('the-nights-jobs-are-chosen-by-settings', '^server/jobs/nightly\\.ts$', [
      '^server/(jobs|export)/',
      '^server/start/site\\.ts$',
      '^server/config\\.ts$',
      '^server/store/store\\.ts$',
      '^trpc/schema/',
      '^server/telemetry/telemetry\\.ts$',
    ]),
    room('exports-know-the-store-interface', '^server/export/', [
      '^server/export/',
      '^server/jobs/(job|clock)\\.ts$',
      '^server/analysis/',
      '^server/store/store\\.ts$',
      '^trpc/schema/',
      '^server/(errors|start/folders|telemetry/telemetry)\\.ts$',
    ]),
    room('backups-know-files-and-engines', '^server/backup/', [
      '^server/backup/',
      '^server/export/(content|destination)\\.ts$',
      '^server/ingest/wal/',
      '^server/store/(sqlite/snapshot|mongo/archive)\\.ts$',
      '^server/(errors|start/folders|start/restoring)\\.ts$',
    ]),
    room('demo-knows-the-store-interface', '^server/demo/', [
      '^server/demo/',
      '^server/accounts/demo\\.ts$',
      '^server/analysis/',
      '^server/store/store\\.ts$',
      '^trpc/schema/',
      '^server/errors\\.ts$',
    ]),

    {
      name: 'sqlite-only-in-its-engine',
      severity: 'error',
      from: { pathNot: ['^server/store/sqlite/', '^(tests|scripts)/'] },
      to: { path: ['^(node:)?sqlite$', 'node_modules/(@photostructure/sqlite|better-sqlite3)/'] },
    },
    {
      name: 'mongodb-only-in-its-engine',
      severity: 'error',
      from: { pathNot: ['^server/store/mongo/', '^(tests|scripts)/'] },
      to: { path: 'node_modules/mongodb/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    // Files that Vite makes (images, styles, fonts), what was built of the sources, and what SST installs.
    exclude: { path: '^build/|^\\.sst/|\\?|\\.(css|svg|png|woff2)$' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types', 'default'] },
  },
}
