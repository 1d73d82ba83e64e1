import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import type { Environment } from '../../infra/settings.ts'

/** The settings SST passes to a stage: .env, then .env.STAGE, then the environment (the last one wins). */
export function stageEnvironment(root: string, stage: string | undefined, environment: Environment): Environment {
  const files = ['.env', ...(stage === undefined ? [] : [`.env.${stage}`])].map((name) => join(root, name))
  const read = files.filter((file) => existsSync(file)).map((file) => parseEnv(readFileSync(file, 'utf8')))
  return Object.assign({}, ...read, environment)
}
