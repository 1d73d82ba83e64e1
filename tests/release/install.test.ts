import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { describeWith } from '../needs.ts'
import { type Box, createBox } from './box.ts'
import { nginx, shellcheck } from './programs.ts'
import { uploadSmall } from './small-release.ts'

const checkout = fileURLToPath(new URL('../..', import.meta.url))
const files = join(checkout, 'infra', 'box')
const boxes: Box[] = []
afterEach(async () => {
  for (const box of boxes.splice(0)) await box.close()
})

async function newBox(settings?: Record<string, string>): Promise<Box> {
  const box = await createBox(settings)
  boxes.push(box)
  return box
}

describeWith(shellcheck, 'every script of the box', () => {
  it('has nothing that shellcheck would say', () => {
    const scripts = readdirSync(files).filter((name) => name.endsWith('.sh'))
    expect(scripts).toContain('install.sh')
    const stubs = readdirSync(join(checkout, 'tests/release/stubs')).map((name) =>
      join('../../tests/release/stubs', name),
    )
    const ended = spawnSync(shellcheck.path, ['-x', '-P', checkout, ...scripts, ...stubs], {
      cwd: files,
      encoding: 'utf8',
    })
    expect(ended.stdout).toBe('')
    expect(ended.status).toBe(0)
  })
})

describeWith(nginx, 'install.sh', () => {
  it('makes a box ready for releases, and changes nothing when it is run again', async () => {
    const box = await newBox()
    const first = await box.install()
    expect(first.output).toContain('Ready for releases')
    expect(first.code).toBe(0)
    const calls = box.calls()
    for (const call of [
      'dnf install --quiet --assumeyes nodejs24 nodejs24-npm nginx',
      'useradd --system',
      'mkfs.xfs -q -L veritas',
      'systemctl enable --quiet veritas.service',
      'systemctl enable --quiet --now veritas-backup.timer logrotate.timer',
      'systemctl enable --quiet --now nginx.service',
      'amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s -c file:',
    ])
      expect(calls).toContain(call)
    // Nothing runs before the first release.
    expect(calls).not.toMatch(/systemctl (re)?start veritas/)
    expect(box.read('etc/fstab')).toMatch(
      /^\S+vol0123456789abcdef0 \S+\/var\/lib\/veritas xfs \S*nofail\S* 0 2\n\S+\/swapfile none swap sw 0 0\n$/,
    )
    expect(statSync(box.path('swapfile')).mode & 0o777).toBe(0o600)
    expect(statSync(box.path('etc/nginx/veritas-origin.map')).mode & 0o777).toBe(0o600)
    expect(statSync(box.path('var/lib/veritas/data')).mode & 0o777).toBe(0o700)
    const unit = box.read('etc/systemd/system/veritas.service')
    expect(unit).toContain(`ExecStart=${box.path('opt/veritas/bin/start.sh')}\n`)
    expect(unit).toContain(`RequiresMountsFor=${box.path('var/lib/veritas')}\n`)

    const second = await box.install()
    expect(second.code).toBe(0)
    const more = box.calls().slice(calls.length)
    expect(more).not.toMatch(/mkfs|mkswap|swapon|useradd|mount |reload|fetch-config/)
    expect(box.read('etc/fstab').split('\n')).toHaveLength(3)
    // A volume that was made larger meanwhile is of use.
    expect(more).toContain(`xfs_growfs ${box.path('var/lib/veritas')}\n`)
  })

  it('puts new settings in place and has those who read them read again', async () => {
    const box = await newBox()
    expect(await box.install()).toMatchObject({ code: 0 })
    const before = box.calls().length
    writeFileSync(box.path('etc/veritas/box.env'), box.read('etc/veritas/box.env').replace('ROLES=all', 'ROLES=split'))
    expect(await box.install()).toMatchObject({ code: 0 })
    expect(box.calls().slice(before)).toContain('systemctl reload nginx.service')
    expect(box.read('etc/nginx/nginx.conf').match(/server 127\.0\.0\.1:\d+/g)).toHaveLength(4)
    expect(new Set(box.read('etc/nginx/nginx.conf').match(/server 127\.0\.0\.1:\d+/g)).size).toBe(2)
  })

  it('has the agent of metrics read its settings when it is run again after that failed', async () => {
    const box = await newBox()
    box.stub('fails.amazon-cloudwatch-agent-ctl', '')
    expect(await box.install()).toMatchObject({ code: 1, output: expect.stringContaining('at: Logs and metrics') })
    box.stub('fails.amazon-cloudwatch-agent-ctl', null)
    const before = box.calls().length
    expect(await box.install()).toMatchObject({ code: 0 })
    expect(box.calls().slice(before)).toContain('amazon-cloudwatch-agent-ctl -a fetch-config')
  })

  it('has nginx read its settings when it is run again after that failed', async () => {
    const box = await newBox()
    expect(await box.install()).toMatchObject({ code: 0 })
    writeFileSync(box.path('etc/veritas/box.env'), box.read('etc/veritas/box.env').replace('ROLES=all', 'ROLES=split'))
    box.stub('fails.systemctl-reload', '')
    expect(await box.install()).toMatchObject({ code: 1, output: expect.stringContaining('at: Proxy') })
    box.stub('fails.systemctl-reload', null)
    const before = box.calls().length
    expect(await box.install()).toMatchObject({ code: 0 })
    expect(box.calls().slice(before)).toContain('systemctl reload nginx.service')
  })

  it('starts processes anew when there are others, since a release would not, and only then', async () => {
    const box = await newBox()
    expect(await box.install()).toMatchObject({ code: 0 })
    const { bucket, key, sha256, version } = await uploadSmall(box, '1.0.0+a')
    expect(await box.run('deploy.sh', bucket, key, sha256, version)).toMatchObject({ code: 0 })
    const names = async () => (await box.processes()).map(({ name }) => name)
    expect(await names()).toEqual(['veritas'])
    const pages = Number(/^WEB_PORT=(\d+)$/m.exec(box.read('etc/veritas/box.env'))![1])
    writeFileSync(box.path('etc/veritas/box.env'), box.read('etc/veritas/box.env').replace('ROLES=all', 'ROLES=split'))
    expect(await box.install()).toMatchObject({ code: 0 })
    expect(await names()).toEqual(['veritas-ingest', 'veritas-web'])
    for (const port of [box.port, pages])
      expect(await (await fetch(`http://127.0.0.1:${port}/`)).json()).toMatchObject({ version: '1.0.0+a' })

    const before = box.calls().length
    expect(await box.install()).toMatchObject({ code: 0 })
    expect(box.calls().slice(before)).not.toContain('restart veritas')
    // Whoever started them anew does not hold up the next release.
    const next = await uploadSmall(box, '1.0.0+b')
    expect(await box.run('deploy.sh', next.bucket, next.key, next.sha256, next.version)).toMatchObject({ code: 0 })
  })

  it('speaks TLS to CloudFront under a name of its own, with a certificate that is renewed by itself', async () => {
    const box = await newBox({ ORIGIN_NAME: 'origin.example.com' })
    expect(await box.install()).toMatchObject({ code: 0 })
    expect(box.calls()).toContain('certbot certonly --quiet --non-interactive')
    expect(box.calls()).toContain(
      '--keep-until-expiring --key-type ecdsa --cert-name origin --domain origin.example.com',
    )
    expect(box.calls()).toContain('systemctl enable --quiet --now veritas-tls.timer')
    expect(box.read('etc/nginx/nginx.conf')).toContain(`listen ${box.listenPort} ssl default_server`)
    const key = statSync(box.path('var/lib/veritas/tls/live/origin/privkey.pem'))
    expect(key.mode & 0o077).toBe(0)
    const calls = box.calls()
    expect(await box.install()).toMatchObject({ code: 0 })
    expect(box.calls().slice(calls.length)).not.toMatch(/^systemctl reload/m)
  })

  it('leaves a volume alone that holds something else', async () => {
    const box = await newBox()
    box.stub('blkid', 'ext4\n')
    const ran = await box.install()
    expect(ran).toMatchObject({ code: 1, output: expect.stringContaining('holds "ext4"') })
    expect(box.calls()).not.toMatch(/mkfs|mount \//)
  })

  it('stops at a missing parameter with its name, before anybody is let in', async () => {
    const box = await newBox()
    box.setParameters({})
    const ran = await box.install()
    expect(ran.code).toBe(1)
    expect(ran.output).toContain('There is no parameter ORIGIN_SECRET')
    expect(ran.output).toContain('It failed at: Parameters')
    expect(box.read('etc/nginx/veritas-origin.map')).toBe('')
  })

  it('runs MongoDB as one member of a replica set that this box alone can reach', async () => {
    const box = await newBox({ STORE: 'self-hosted' })
    expect(await box.install()).toMatchObject({ code: 0 })
    expect(box.read('etc/mongod.conf')).toMatch(/bindIp: 127\.0\.0\.1\n/)
    expect(box.read('etc/mongod.conf')).toMatch(/replSetName: veritas\n/)
    expect(box.read('etc/mongod.conf')).toContain(`dbPath: ${box.path('var/lib/veritas/mongo')}\n`)
    expect(box.read('etc/veritas/server.env')).toContain(
      "STORE_URL='mongodb://127.0.0.1:27017/veritas?replicaSet=veritas'",
    )
    // Its package neither starts it again, nor waits for the volume, nor rotates its log.
    const unit = box.read('etc/systemd/system/mongod.service.d/veritas.conf')
    expect(unit).toMatch(/^Restart=always$/m)
    expect(unit).toContain(`RequiresMountsFor=${box.path('var/lib/veritas')}\n`)
    expect(box.calls()).toMatch(/systemctl daemon-reload\n(.*\n)*systemctl restart mongod\.service/)
    expect(box.read('etc/logrotate.d/mongod')).toContain(`${box.path('var/log/mongodb')}/*.log {`)
    expect(box.read('etc/mongod.conf')).toContain(`path: ${box.path('var/log/mongodb/mongod.log')}\n`)
    const before = box.calls().length
    expect(await box.install()).toMatchObject({ code: 0 })
    expect(box.calls().slice(before)).not.toMatch(/restart mongod|daemon-reload/)
  })

  it('takes the PM2 that the project is tested with', () => {
    const lock = JSON.parse(readFileSync(join(checkout, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { version: string }>
    }
    const install = readFileSync(join(files, 'install.sh'), 'utf8')
    expect(install).toContain(`pm2_version=${lock.packages['node_modules/pm2']!.version}\n`)
  })
})

describe('secrets.sh', () => {
  it.each([
    [{ ORIGIN_SECRET: 'short' }, 'ORIGIN_SECRET must be 24 to 128 letters'],
    [{ ORIGIN_SECRET: `${'a'.repeat(30)}" 1; ~.` }, 'ORIGIN_SECRET must be 24 to 128 letters'],
    [{ ORIGIN_SECRET: 'a'.repeat(30), 'site-name': 'x' }, '/veritas/test/site-name is not called like a setting'],
    [{ ORIGIN_SECRET: 'a'.repeat(30), PORT: '80' }, 'PORT belongs into '],
    [{ ORIGIN_SECRET: 'a'.repeat(30), INGEST_MAX_BODY_BYTES: '9' }, 'INGEST_MAX_BODY_BYTES belongs into '],
    [{ ORIGIN_SECRET: 'a'.repeat(30), SITE_NAME: '' }, '/veritas/test/SITE_NAME has no value'],
    [{ ORIGIN_SECRET: 'a'.repeat(30), SITE_NAME: 'two\nlines' }, 'The value of SITE_NAME holds a line break'],
    [
      { ORIGIN_SECRET: 'a'.repeat(30), STORE_URL: 'mongodb://x' },
      'STORE is embedded, but there is a parameter STORE_URL',
    ],
  ])('refuses %j by name and changes nothing', async (parameters, says) => {
    const box = await newBox()
    expect(await box.run('secrets.sh')).toMatchObject({ code: 0 })
    const before = [box.read('etc/veritas/server.env'), box.read('etc/nginx/veritas-origin.map')]
    box.setParameters(parameters as Record<string, string>)
    const ran = await box.run('secrets.sh')
    expect(ran.output).toContain(says)
    expect(ran.code).toBe(1)
    expect([box.read('etc/veritas/server.env'), box.read('etc/nginx/veritas-origin.map')]).toEqual(before)
  })

  it('needs the address of a store elsewhere', async () => {
    const box = await newBox({ STORE: 'uri' })
    expect(await box.run('secrets.sh')).toMatchObject({
      code: 1,
      output: expect.stringContaining('no parameter STORE_URL'),
    })
    box.setParameters({ ORIGIN_SECRET: box.originSecret, STORE_URL: 'mongodb+srv://veritas:hidden@cluster.example/x' })
    const ran = await box.run('secrets.sh')
    expect(ran).toMatchObject({ code: 0, output: expect.stringContaining('2 parameters: ORIGIN_SECRET, STORE_URL') })
    expect(ran.output).not.toContain('hidden')
  })
})

/** Keys and kinds as the agent's own schema has them (translator/config/schema.json of aws/amazon-cloudwatch-agent). */
describe('the settings of the CloudWatch agent', () => {
  const text = readFileSync(join(files, 'cloudwatch-agent.json'), 'utf8')
  const config = JSON.parse(text) as {
    agent: object
    metrics: { metrics_collected: Record<string, object>; aggregation_dimensions: string[][] }
    logs: { logs_collected: { files: { collect_list: Record<string, string>[] } } }
  }

  it('have no key that the agent does not know', () => {
    const keys = (of: object) => Object.keys(of).sort()
    expect(keys(config)).toEqual(['agent', 'logs', 'metrics'])
    expect(keys(config.agent)).toEqual(['debug', 'logfile', 'metrics_collection_interval', 'region'])
    expect(keys(config.metrics)).toEqual([
      'aggregation_dimensions',
      'append_dimensions',
      'force_flush_interval',
      'metrics_collected',
      'namespace',
    ])
    const { mem, disk, otlp, ...others } = config.metrics.metrics_collected
    expect(others).toEqual({})
    // Every series is billed: what no alarm or line of the dashboard looks at is not collected.
    expect(mem).toEqual({ measurement: ['mem_used_percent'] })
    expect(disk).toEqual({
      measurement: ['disk_used_percent'],
      resources: ['/', '/var/lib/veritas'],
      drop_device: true,
      drop_original_metrics: ['disk_used_percent'],
    })
    expect(otlp).toEqual({ grpc_endpoint: '127.0.0.1:4317', http_endpoint: '127.0.0.1:4318' })
    expect(keys(config.logs)).toEqual(['force_flush_interval', 'logs_collected'])
    expect(keys(config.logs.logs_collected)).toEqual(['files'])
    for (const entry of config.logs.logs_collected.files.collect_list) {
      expect(keys(entry)).toEqual(['file_path', 'log_group_name', 'log_stream_name', 'timezone'])
      expect(entry.timezone).toBe('UTC')
    }
  })

  it('follow each log that the box writes, each to a stream of its own', () => {
    const list = config.logs.logs_collected.files.collect_list
    const paths = list.map(({ file_path }) => file_path!.replace('@ROOT@/var/log/', ''))
    for (const name of ['veritas', 'veritas-ingest', 'veritas-web'])
      expect(paths).toEqual(
        expect.arrayContaining([`veritas/server/${name}-out.log`, `veritas/server/${name}-error.log`]),
      )
    expect(paths).toEqual(expect.arrayContaining(['veritas/releases.log', 'veritas/backup.log', 'nginx/veritas.log']))
    // With a pattern the agent would follow the newest file only.
    expect(paths.join()).not.toContain('*')
    expect(new Set(list.map(({ log_stream_name }) => log_stream_name)).size).toBe(list.length)
  })
})
