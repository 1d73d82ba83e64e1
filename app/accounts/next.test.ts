import { describe, expect, it } from 'vitest'
import { localPath, loginAddress } from './next.ts'

describe('where a login leads', () => {
  it('is a page of this server', () => {
    expect(localPath('/users?sort=orders')).toBe('/users?sort=orders')
    expect(localPath('/users/a%2Fb/journey')).toBe('/users/a%2Fb/journey')
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
