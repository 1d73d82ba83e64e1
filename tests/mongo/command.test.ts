import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { MongoClient } from 'mongodb'
import { beforeAll, expect, it } from 'vitest'
import { monthOf } from '../../server/analysis/months.ts'
import { createMongoStore } from '../../server/store/mongo/store.ts'
import { sampleBatch, sampleEvent, sampleSite } from '../../server/store/sample-events.ts'
import { describeWith } from '../needs.ts'
import { temporaryFolder } from '../server.ts'
import { type MongoServer, startMongo } from './mongo-server.ts'
import { mongo } from './need.ts'

const SCRIPT = fileURLToPath(new URL('../../scripts/mongo.ts', import.meta.url))

function run(...args: string[]) {
  const { PATH, HOME } = process.env
  const ended = spawnSync(process.execPath, ['--import', 'tsx', SCRIPT, ...args], {
    env: { PATH, HOME, NODE_ENV: 'production', DATA_DIR: temporaryFolder() },
    encoding: 'utf8',
  })
  return { code: ended.status, stdout: ended.stdout, stderr: ended.stderr }
}

describeWith(mongo, 'npm run mongo', () => {
  let server: MongoServer
  beforeAll(async () => {
    server = await startMongo()
  })

  it('makes what is missing, and tells what is', async () => {
    const url = server.newDatabase()
    expect(run('status', '--url', url)).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^bad +indexes +missing: users/m),
    })
    expect(run('init', '--url', url)).toMatchObject({ code: 0, stderr: '' })
    const store = await createMongoStore({ url })
    const { id: siteId } = await store.saveSite(sampleSite())
    await store.insertBatch(sampleBatch(sampleEvent({ siteId })))
    await store.totals(siteId)
    await store.close()
    const { code, stdout } = run('status', '--url', url)
    expect(stdout).toMatch(/^good +version +\d/m)
    expect(stdout).toMatch(/^(good|look) +deployment +(standalone|replica set|sharded)/m)
    expect(stdout).toMatch(/^good +clock/m)
    expect(stdout).toMatch(/^good +indexes +all there/m)
    expect(stdout).toMatch(/^good +folds +\d+ done, idle; nothing waits/m)
    expect(stdout).toMatch(/^good +size +\d+ documents/m)
    expect(code).toBe(0)

    const client = new MongoClient(url)
    await client.db().collection('users').dropIndex('site_1_orders_1_user_1')
    await client.db().collection('events_202611').dropIndexes()
    const missing = run('status', '--url', url)
    expect(missing.stdout).toMatch(/users {"site":1,"orders":1,"user":1}, events_202611 {"user":1/)
    expect(missing.code).toBe(1)
    expect(run('init', '--url', url).code).toBe(0)
    expect(run('status', '--url', url).code).toBe(0)
    await client.close()
  })

  it('tells of batches whose process is gone, and brings them to their end', async () => {
    const url = server.newDatabase()
    expect(run('init', '--url', url).code).toBe(0)
    const client = new MongoClient(url)
    const begunAt = new Date(Date.now() - 600_000)
    await client
      .db()
      .collection<{ _id: string }>('ledger')
      .insertOne({ _id: 'lost', state: 'prep', begunAt } as never)
    expect(run('status', '--url', url).stdout).toMatch(/^look +batches +1 left by processes that are gone: lost;/m)
    expect(run('finish', '--url', url)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^lost is at its end/) })
    expect(run('finish', '--url', url)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^No batch/) })
    expect(run('status', '--url', url).stdout).toMatch(/^good +batches/m)
    await client.close()
  })

  it('prints the commands for a cluster, months ahead included', async () => {
    const url = server.newDatabase()
    const { code, stdout } = run('shard', '--months', '1', '--url', url)
    expect(code).toBe(0)
    expect(stdout.split('\n')[0]).toMatch(/^sh\.enableSharding\("veritas_test_/)
    expect(stdout).toMatch(/sh\.shardCollection\("veritas_test_\w+\.event_ids", {"_id":"hashed"}\)/)
    expect(stdout).toContain(`.events_${monthOf(Date.now())}", {"user":"hashed"})`)
    expect(stdout.match(/shardCollection\("[^"]+\.events_/g)).toHaveLength(2)
  })

  it('has the months to come spread when they begin, once the store is', async () => {
    const url = server.newDatabase()
    const sent: string[] = []
    const store = await createMongoStore({ url, onCommand: ({ name }) => sent.push(name) })
    const { id: siteId } = await store.saveSite(sampleSite())
    const visit = (month: number) =>
      store.insertBatch(sampleBatch(sampleEvent({ siteId, occurredAt: Date.UTC(2026, month, 3) })))
    await visit(7)
    expect(sent).not.toContain('shardCollection')
    const client = new MongoClient(url)
    await client.db().collection('events_202608').createIndex({ user: 'hashed' })
    expect((await visit(8)).stored).toBe(1)
    expect(sent).toContain('shardCollection')
    const keys = (await client.db().collection('events_202609').indexes()).map(({ key }) => key)
    expect(keys).toContainEqual({ user: 'hashed' })
    await Promise.all([store.close(), client.close()])
  })

  it('tells of an index that is another under the same name or key, and how to mend it', async () => {
    const url = server.newDatabase()
    const client = new MongoClient(url)
    const db = client.db()
    await db.collection('users').createIndex({ site: 1, events: -1 }, { name: 'site_1_events_1_user_1' })
    const refused = run('init', '--url', url)
    expect(refused.stderr).toMatch(
      /^The index site_1_events_1_user_1 of users is another .*dropIndex\("site_1_events_1/,
    )
    expect(refused.code).toBe(1)
    // A server does not start either, and says the same.
    await expect(createMongoStore({ url })).rejects.toThrow(/index site_1_events_1_user_1 of users is another/)
    await db.collection('users').dropIndex('site_1_events_1_user_1')
    expect(run('init', '--url', url).code).toBe(0)
    // One e-mail address must not have two accounts.
    await db.collection('accounts').dropIndex('email_1')
    await db.collection('accounts').createIndex({ email: 1 })
    const { code, stdout } = run('status', '--url', url)
    expect(stdout).toMatch(
      /^bad +indexes +missing: accounts {"email":1} \(email_1 is another: .*dropIndex\("email_1"\)/m,
    )
    expect(code).toBe(1)
    await client.close()
  })

  it('says in one line what is wrong with how it was called, or with the server', () => {
    for (const args of [
      [],
      ['mend'],
      ['init', 'now'],
      ['shard', '--months', 'x'],
      ['status', '--url', 'sqlite:x'],
      ['status'],
    ])
      expect(run(...args), args.join(' ')).toMatchObject({ code: 2 })
    for (const url of [
      'mongodb://ana:s3/cret@h/x',
      'mongodb://ana:s3cret@h/x?replicaSte=rs0',
      'mongodb://ana:s3%cret@h/x',
    ]) {
      const wrong = run('status', '--url', url)
      expect(wrong).toMatchObject({ code: 2, stderr: expect.stringMatching(/^STORE_URL is not an address[^\n]*\n$/) })
      expect(wrong.stderr).not.toMatch(/s3|cret/)
    }
    if (server.isStandIn) {
      const url = server.newDatabase()
      const other = run('status', '--url', `${url}?replicaSet=nope`)
      expect(other.stderr).toMatch(/no member of a replica set nope is there. Is replicaSet of the address right\?\n$/)
      const login = run('status', '--url', url.replace('//', '//ana:s3cret@'))
      expect(login.stderr).toMatch(/^The database at 127[^\n]* refuses: [^\n]*\n$/)
      expect(login.stderr).not.toContain('s3cret')
      const spread = run('shard', '--run', '--url', url)
      expect(spread).toMatchObject({ code: 1, stderr: expect.stringMatching(/standalone, no router \(mongos\)/) })
      expect(run('status', '--url', url).stdout).toMatch(/ 0 documents/)
    }
    const away = run('status', '--url', 'mongodb://127.0.0.1:9/shop')
    expect(away.stderr).toMatch(/^The database at 127\.0\.0\.1:9\/shop does not answer[^\n]*\n$/)
    expect(away.code).toBe(1)
  })
})
