/// <reference path="./.sst/platform/config.d.ts" />

// Thin on purpose: what is deployed is in infra/, whose functions run without SST in tests. Nothing may be imported up
// here: SST reads this file before its packages are there.
export default $config({
  async app(input) {
    const { readGuards } = await import('./infra/settings.ts')
    const { isProtected, region } = readGuards(input.stage, process.env)
    return {
      name: 'veritas',
      home: 'aws',
      removal: isProtected ? 'retain' : 'remove',
      protect: isProtected,
      providers: {
        aws: {
          version: '7.20.0',
          ...(region ? { region } : {}),
          defaultTags: { tags: { app: 'veritas', stage: input.stage } },
        },
      },
    }
  },
  async run() {
    const { createVeritas } = await import('./infra/main.ts')
    return createVeritas({
      stage: $app.stage,
      environment: process.env,
      root: $cli.paths.root,
      openSecret: (name) => new sst.Secret(name).value,
    })
  },
})
