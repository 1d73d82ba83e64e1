import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { s3 } from '@pulumi/aws'
import { asset } from '@pulumi/pulumi'
import { sha256 } from './archive.ts'
import type { Bucket } from './storage.ts'
import { WrongSetting } from './wrong-setting.ts'

const contentTypes: Record<string, string> = {
  '.avif': 'image/avif',
  '.css': 'text/css; charset=utf-8',
  '.gif': 'image/gif',
  '.ico': 'image/x-icon',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
}

/** Names of the built client files, which contain content hashes. Source maps are left out. */
export function readAssetNames(root: string): string[] {
  const folder = join(root, 'build/app/client/assets')
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => !name.endsWith('.map')) : []
  if (names.length === 0)
    throw new WrongSetting('Nothing was deployed. build/app/client/assets is empty: npm run build makes the pages.')
  const strange = names.find((name) => contentTypes[extname(name)] === undefined)
  if (strange)
    throw new WrongSetting(
      `Nothing was deployed. build/app/client/assets/${strange}: infra/assets.ts knows no content type for ${extname(strange)}.`,
    )
  return names.sort()
}

/**
 * Uploads the client files. Files of earlier releases stay in the bucket, since pages still open in browsers load them.
 */
export function createAssets(root: string, names: readonly string[], bucket: Bucket): s3.BucketObjectv2[] {
  return names.map((name) => {
    const path = join(root, 'build/app/client/assets', name)
    return new s3.BucketObjectv2(
      `Asset_${name}`,
      {
        bucket: bucket.id,
        key: `assets/${name}`,
        source: new asset.FileAsset(path),
        sourceHash: sha256(readFileSync(path)),
        contentType: contentTypes[extname(name)]!,
        cacheControl: 'public, max-age=31536000, immutable',
        serverSideEncryption: 'AES256',
      },
      { retainOnDelete: true },
    )
  })
}
