import type { Environment } from './settings.ts'

/** Example stages. Tests compare the resources generated for them with infra/snapshots. */
export interface Scenario {
  stage: string
  environment: Environment
}

export const scenarios: readonly Scenario[] = [
  // The result of `npx sst deploy --stage NAME` with defaults only.
  { stage: 'smallest', environment: {} },
  {
    stage: 'production',
    environment: {
      VERITAS_REGION: 'eu-central-1',
      VERITAS_DOMAIN: 'events.example.com',
      VERITAS_HOSTED_ZONE_ID: 'Z0123456789ABC',
      VERITAS_ALARM_EMAIL: 'ops@example.com',
      VERITAS_STORE: 'uri',
      VERITAS_INSTANCE_TYPE: 'm7g.large',
      VERITAS_DATA_VOLUME_GIB: '200',
      VERITAS_ROLES: 'split',
      VERITAS_SITE_NAME: 'Example shop',
      VERITAS_SITE_TIME_ZONE: 'Europe/Berlin',
      VERITAS_SITE_CURRENCY: 'EUR',
      VERITAS_GITHUB_REPOSITORY: 'example/veritas',
      SST_SECRET_StoreUrl: 'mongodb+srv://veritas:not-a-real-password@cluster0.example.mongodb.net/veritas',
      SST_SECRET_SessionSecret: 'not-a-real-session-secret-0123456789',
      SST_SECRET_OriginSecret: 'not-a-real-origin-secret-0123456789',
      SST_SECRET_OriginSecretPrevious: 'not-a-real-previous-secret-0123456789',
    },
  },
  { stage: 'mongo', environment: { VERITAS_STORE: 'self-hosted', VERITAS_INSTANCE_TYPE: 't4g.small' } },
]
