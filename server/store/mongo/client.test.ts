import { MongoClient } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { databaseName, limits } from './client.ts'

describe('an address', () => {
  it('names the database or none', () => {
    for (const [url, name] of [
      ['mongodb://a:1,b:2/shop?replicaSet=rs0', 'shop'],
      ['mongodb+srv://ana:pw@cluster.example.net/my%20shop', 'my shop'],
      ['mongodb://a/?tls=true', 'veritas'],
      ['mongodb://a', 'veritas'],
      // The driver takes options without a slash before them.
      ['mongodb://a?tls=true&tlsCAFile=/etc/ssl/ca.pem', 'veritas'],
    ] as const)
      expect(databaseName(url), url).toBe(name)
  })

  it('changes nothing in how Veritas writes and reads', () => {
    for (const words of [
      'w=1&journal=false&wtimeoutMS=5&retryWrites=false',
      'readPreference=secondary&readConcernLevel=available',
      'readConcernLevel=snapshot',
    ])
      expect(new MongoClient(`mongodb://a/shop?${words}`, limits).options, words).toMatchObject({
        writeConcern: { w: 'majority', j: true, wtimeoutMS: 10_000 },
        readPreference: { mode: 'primary' },
        readConcern: { level: 'local' },
        retryWrites: true,
      })
  })
})
