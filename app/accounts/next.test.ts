import { describe, expect, it } from 'vitest'
import { localPath, loginAddress } from './next.ts'

describe('where a login leads', () => {
  it('is a page of this server', () => {
    expect(localPath('/users?sort=orders')).toBe('/users?sort=orders')
    expect(localPath('/users/a%2Fb/journey')).toBe('/users/a%2Fb/journey')
  })

  it('is the page of a file, and never what is no page', () => {
    expect(localPath('/users.csv?search=a')).toBe('/users?search=a')
    expect(localPath('/dashboard.csv?range=7d')).toBe('/dashboard?range=7d')
    expect(localPath('/api-docs')).toBe('/api-docs')
    expect(localPath('/system')).toBe('/system')
  })

  it.each([
    null,
    undefined,
    '',
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    '/.//evil.example',
    '/users/..//evil.example',
    '/x/%2e%2e//evil.example',
    '/./\\evil.example',
    'javascript:alert(1)',
    'users',
    '/login',
    '/login?next=/users',
    '/logout',
    '/signup',
    '/search?q=a',
    '/logout.data',
    '/users/a/older?part=events',
    '/nowhere',
  ])('is the dashboard for %j', (next) => {
    expect(localPath(next)).toBe('/dashboard')
  })

  it('carries the way back in the address of the login', () => {
    const request = (path: string, method = 'GET') => new Request(`http://shop.example${path}`, { method })
    expect(loginAddress(request('/users?search=a'))).toBe('/login?next=%2Fusers%3Fsearch%3Da')
    expect(loginAddress(request('/users.data'))).toBe('/login?next=%2Fusers')
    expect(loginAddress(request('/dashboard'))).toBe('/login')
    expect(loginAddress(request('/users', 'POST'))).toBe('/login')
  })
})
