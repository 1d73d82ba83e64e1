import { type HostileCase, json, request } from './case.ts'

const form = 'Content-Type: application/x-www-form-urlencoded\r\n'
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'CONNECT']
const addresses = [
  '/',
  '/events',
  '/health',
  '/health/live',
  '/health/ready',
  '/stats',
  '/users',
  '/users/u',
  '/users/u/journey',
  '/users/u/sessions',
  '/trpc/stats.overview',
  '/trpc/nothing',
  '/api/auth/sign-in/email',
  '/api/auth/get-session',
  '/api-docs',
  '/api-docs.json',
  '/login',
  '/dashboard',
  '/assets/none.js',
  '/v1/track',
]
const any = [200, 202, 204, 301, 302, 303, 304, 400, 401, 403, 404, 405, 415]

/** Addresses as only attackers use them. */
const odd = [
  '/../../etc/passwd',
  '/assets/../../package.json',
  '/assets/..%2f..%2fpackage.json',
  '/assets/%2e%2e/%2e%2e/package.json',
  '/assets/%00.js',
  '/assets/%ff',
  '/api-docs/../package.json',
  '/api-docs/..%2fpackage.json',
  '/users/%',
  '/users/%00',
  '/users/%ff/journey',
  '/users/..%2f..',
  `/users/${'u'.repeat(5000)}`,
  `/users?search=${'%'.repeat(100)}`,
  `/users?cursor=${'A'.repeat(5000)}`,
  '/users?pageSize=1e9',
  '/users?page=-1',
  '/stats?from=0000-00-00&to=9999-99-99',
  '/stats?from[]=1',
  '/trpc/',
  '/trpc/constructor',
  '/trpc/__proto__',
  `/trpc/${Array(21).fill('stats.overview').join(',')}?batch=1&input={}`,
  `/trpc/${Array(2000).fill('a').join(',')}?batch=1`,
  '/trpc/stats.overview?input=%7B',
  `/trpc/stats.overview?input=${'['.repeat(5000)}`,
  '/events?writeKey=pk_x',
  `/events?writeKey=${'x'.repeat(10_000)}`,
  '//evil.example/',
  'http://evil.example/login',
  '*',
  '/\\evil',
  '/%0d%0aSet-Cookie:%20a=b',
  '/login?next=//evil.example',
  '/logout',
  '/.env',
  '/.git/config',
  '/wp-login.php',
  '/dashboard?from=%00',
]

const headers: [name: string, lines: string][] = [
  ['a foreign origin', 'Origin: https://evil.example\r\n'],
  ['an origin that is none', 'Origin: null\r\n'],
  ['an origin of 5,000 letters', `Origin: https://${'a'.repeat(5000)}\r\n`],
  ['a cookie that is none', 'Cookie: veritas_session=%%%; =; ;;;\r\n'],
  ['a cookie of 10 KB', `Cookie: veritas_session=${'a'.repeat(10_000)}\r\n`],
  ['Basic without base64', 'Authorization: Basic %%%\r\n'],
  ['Basic of NULs', `Authorization: Basic ${Buffer.alloc(3000).toString('base64')}\r\n`],
  ['an unknown scheme', 'Authorization: Negotiate abc\r\n'],
  ['an API token that is none', `Authorization: Bearer vt_${'a'.repeat(43)}\r\n`],
  ['a write key that is none', `Authorization: Bearer pk_${'a'.repeat(43)}\r\n`],
  ['a write key of 10 KB', `X-Write-Key: pk_${'a'.repeat(10_000)}\r\n`],
  ['two write keys', 'X-Write-Key: a\r\nX-Write-Key: b\r\n'],
  ['an Idempotency-Key of 10 KB', `Idempotency-Key: ${'k'.repeat(10_000)}\r\n`],
  ['a forged address', `X-Forwarded-For: ${'1.1.1.1, '.repeat(500)}1.1.1.1\r\n`],
  ['a forged host', 'X-Forwarded-Host: evil.example\r\n'],
  ['a forged protocol', 'X-Forwarded-Proto: javascript\r\n'],
  ['another method', 'X-HTTP-Method-Override: DELETE\r\n'],
  ['an Accept of everything', `Accept: ${'text/html;q=0.1,'.repeat(500)}*/*\r\n`],
  ['an Accept-Encoding that is none', 'Accept-Encoding: ,,,;q=\r\n'],
  ['a Range', 'Range: bytes=0-0,1-1,2-2\r\n'],
  ['If-None-Match', 'If-None-Match: "a", W/"b", *\r\n'],
  ['a Content-Type of nothing', 'Content-Type: \r\n'],
  ['a Content-Type of a bad charset', 'Content-Type: application/json; charset=utf-7\r\n'],
  ['a multipart without a boundary', 'Content-Type: multipart/form-data\r\n'],
  ['a trace parent that is none', 'traceparent: 00-zz-zz-zz\r\n'],
]

export const addressCases: HostileCase[] = [
  ...addresses.flatMap((path) =>
    methods.map((method): HostileCase => {
      const hasBody = method !== 'GET' && method !== 'HEAD'
      return {
        name: `address: ${method} ${path}`,
        script: request(hasBody ? '{}' : '', { method, path, length: hasBody ? 2 : null }),
        may: any,
        isHead: method === 'HEAD',
        mayBePage: method === 'GET' || method === 'HEAD',
      }
    }),
  ),
  ...['/login', '/signup', '/logout', '/theme', '/dashboard', '/nothing'].flatMap((path) =>
    ['', 'email=', '%%%=%ff&\0', 'a&'.repeat(20_000), 'x'.repeat(70_000)].map(
      (body, index): HostileCase => ({
        name: `form: number ${index} to ${path}`,
        script: request(body, { path, headers: form }),
        may: [...any, 413, 429],
        mayBePage: true,
      }),
    ),
  ),
  ...odd.map(
    (path): HostileCase => ({
      name: `odd address: ${path.slice(0, 60)}`,
      script: request('', { method: 'GET', path, length: null }),
      may: [...any, 413, 414, 431],
      mayBePage: true,
    }),
  ),
  ...headers.flatMap(([name, lines]): HostileCase[] => [
    { name: `header: ${name}, posting`, script: request(json, { headers: lines }), may: [202, 400, 401, 403] },
    {
      name: `header: ${name}, reading`,
      script: request('', { method: 'GET', path: '/stats', headers: lines, length: null }),
      may: [401, 403],
    },
    {
      name: `header: ${name}, at the login`,
      script: request('email=a', { path: '/login', headers: lines + (lines.startsWith('Content-Type') ? '' : form) }),
      may: [200, 302, 400, 401, 403, 404, 429],
      mayBePage: true,
    },
  ]),
]
