import { describe, expect, it } from 'vitest'
import { readSecretNames, storePorts } from './secrets.ts'
import { readSettings } from './settings.ts'

const uri = readSettings('a', { VERITAS_STORE: 'uri' })
const embedded = readSettings('a', {})
const address = 'mongodb+srv://shop:pass-word-1@cluster0.example.net/veritas'

describe('secrets', () => {
  it('needs none for the embedded store', () => {
    expect([...readSecretNames(embedded, {})]).toEqual([])
  })

  it('names the address of the database when it is missing, and how to set it', () => {
    expect(() => readSecretNames(uri, {})).toThrow(/secret StoreUrl is missing.*sst secret set StoreUrl .* --stage a/)
    expect([...readSecretNames(uri, { SST_SECRET_StoreUrl: address })]).toEqual(['StoreUrl'])
  })

  it('refuses an address that nothing would use', () => {
    expect(() => readSecretNames(embedded, { SST_SECRET_StoreUrl: address })).toThrow(/StoreUrl is of no use/)
  })

  it.each([
    ['StoreUrl', 'postgres://shop:pass-word-1@db/veritas'],
    ['SessionSecret', 'pass-word-1'],
    ['OriginSecret', 'pass-word-1 with blanks and more'],
    ['OriginSecretPrevious', 'pass-word-1'],
  ])('refuses a wrong %s by its name, without its value', (name, value) => {
    const settings = name === 'StoreUrl' ? uri : embedded
    const attempt = () => readSecretNames(settings, { [`SST_SECRET_${name}`]: value })
    expect(attempt).toThrow(`the secret ${name} must`)
    expect(attempt).not.toThrow('pass-word-1')
  })
})

describe('ports of the database', () => {
  it.each([
    ['mongodb+srv://u:p@cluster0.example.net/v', 27_015, 27_017],
    ['mongodb://u:p@db1.example.net/v', 27_017, 27_017],
    ['mongodb://u:p@db1.example.net:30001,db2.example.net:30005/v?replicaSet=a', 30_001, 30_005],
    ['mongodb://db1.example.net:4000', 4000, 4000],
  ])('%s', (url, from, to) => {
    expect(storePorts({ SST_SECRET_StoreUrl: url })).toEqual({ from, to })
  })
})
