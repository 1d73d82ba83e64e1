import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Browser, chromium, openBrowser } from '../chromium.ts'
import { describeWith } from '../needs.ts'
import { startServer, type TestServer } from '../server.ts'
import { cookieOf, owner, signUpOwner } from '../shop.ts'

/** A proxy that names itself in the Host header, as nginx does unless it is told otherwise. */
async function startProxy(port: number): Promise<Server> {
  const proxy = createServer((req, res) => {
    const headers = { ...req.headers, host: `127.0.0.1:${port}` }
    const passed = request({ port, host: '127.0.0.1', path: req.url, method: req.method, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 500, answer.rawHeaders)
      answer.pipe(res)
    })
    passed.on('error', () => res.destroy())
    req.pipe(passed)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  return proxy
}

const portOf = (proxy: Server) => (proxy.address() as AddressInfo).port

describeWith(chromium, 'answers to browsers', () => {
  let server: TestServer
  let cookie: string
  let browser: Browser
  const proxies: Server[] = []

  beforeAll(async () => {
    server = await startServer({ args: ['--no-demo'] })
    cookie = await signUpOwner(server.url)
    browser = await openBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    for (const proxy of proxies) {
      proxy.closeAllConnections()
      proxy.close()
    }
  })

  const page = () => browser.context.pages()[0]!
  async function behindProxy(to: TestServer): Promise<string> {
    const proxy = await startProxy(Number(new URL(to.url).port))
    proxies.push(proxy)
    return `http://127.0.0.1:${portOf(proxy)}`
  }
  const logIn = (url: string, headers: Record<string, string>) =>
    fetch(`${url}/login`, {
      method: 'POST',
      redirect: 'manual',
      headers: { accept: 'text/html', 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams({ email: owner.email, password: owner.password, next: '/users' }),
    })

  it('a browser logs in through a proxy that changes the Host header', async () => {
    const url = await behindProxy(server)
    await page().goto(`${url}/login?next=/users`)
    await page().fill('[name=email]', owner.email)
    await page().fill('[name=password]', owner.password)
    await page().click('button[type=submit]')
    await page().waitForURL(`${url}/users`)
    await page().getByRole('heading', { level: 1, name: 'Users' }).waitFor()
  })

  it('one that does not say where a form is from needs PUBLIC_URL, and is told so', async () => {
    const url = await behindProxy(server)
    const refused = await logIn(url, { origin: 'https://veritas.example' })
    expect(refused.status).toBe(403)
    expect(await refused.text()).toContain('PUBLIC_URL')
    expect(server.output()).toContain('a request of another origin is refused')
    const known = await startServer({ args: ['--no-demo'], env: { PUBLIC_URL: 'https://veritas.example' } })
    await signUpOwner(known.url)
    const taken = await logIn(await behindProxy(known), { origin: 'https://veritas.example' })
    expect([taken.status, taken.headers.get('location')]).toEqual([302, '/users'])
    const foreign = await logIn(known.url, { origin: 'https://evil.example' })
    expect(foreign.status).toBe(403)
    expect(cookieOf(foreign)).toBe('')
  })

  it('what an account may not do is called that', async () => {
    const invited = await fetch(`${server.url}/trpc/auth.invite`, {
      method: 'POST',
      headers: { cookie, 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'ana@nordlicht.example' }),
    })
    const { invitation } = ((await invited.json()) as { result: { data: { invitation: string } } }).result.data
    const signedUp = await fetch(`${server.url}/api/auth/sign-up/email`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...owner, email: 'ana@nordlicht.example', invitation }),
    })
    const answer = await fetch(`${server.url}/system`, {
      method: 'POST',
      headers: {
        cookie: cookieOf(signedUp),
        accept: 'text/html',
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: 'verb=replay',
    })
    const html = await answer.text()
    expect(answer.status).toBe(403)
    expect(html).toContain('Your account may not do this')
    expect(html).toContain('Only the owner of this server may do that.')
    expect(html).not.toContain('does not exist')
  })

  it('the addresses of the API come with all their files', async () => {
    const missing: string[] = []
    page().on('response', (response) => {
      if (response.status() >= 400) missing.push(`${response.status()} ${response.url()}`)
    })
    await page().goto(`${server.url}/api-docs`)
    await page().waitForSelector('.opblock')
    expect(missing).toEqual([])
    expect(await page().title()).toBe('API · Veritas')
  })

  it('the icon that every browser asks for is there, logged in or not', async () => {
    const icon = await fetch(`${server.url}/favicon.ico`, { redirect: 'manual' })
    expect(icon.status).toBe(200)
    expect([...new Uint8Array(await icon.arrayBuffer()).slice(0, 4)]).toEqual([0, 0, 1, 0])
  })

  it('a file is not the login page, and a login does not end on what is no page', async () => {
    for (const file of ['/users.csv', '/dashboard.csv?range=7d']) {
      const refused = await fetch(server.url + file, { redirect: 'manual' })
      expect([file, refused.status]).toEqual([file, 401])
      expect(await refused.text()).toContain('Log in first')
      const led = await fetch(server.url + file, { redirect: 'manual', headers: { accept: 'text/html' } })
      expect(led.headers.get('location')).toBe(`/login?next=${encodeURIComponent(file.replace('.csv', ''))}`)
    }
    const places = { '/search?q=a': '/dashboard', '/users.csv?search=a': '/users', '/api-docs': '/api-docs' }
    for (const [next, place] of Object.entries(places)) {
      await browser.context.clearCookies()
      await page().goto(`${server.url}/login?next=${encodeURIComponent(next)}`)
      await page().fill('[name=email]', owner.email)
      await page().fill('[name=password]', owner.password)
      await page().click('button[type=submit]')
      await page().waitForURL((url) => url.pathname === place)
      await page().locator('h1').first().waitFor()
      expect(await page().locator('.error-page').count()).toBe(0)
    }
  })
})
